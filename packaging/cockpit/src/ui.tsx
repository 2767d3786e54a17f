/** Pieces that several parts of the page share. */
import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { Alert, Button, type AlertProps, Modal, ModalVariant, Spinner } from "@patternfly/react-core";
import { _ } from "./i18n";
import { sentence } from "./sentence";

/** What is loaded: its value once there is one, what went wrong with the last try, and how to try again. */
export interface Loaded<T> {
    value: T | undefined;
    error: unknown;
    loading: boolean;
    again: () => Promise<void>;
}

/** Loads something when the part of the page appears, and again when it is told to. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
    const [state, setState] = useState<{ value: T | undefined; error: unknown; loading: boolean }>({ value: undefined, error: undefined, loading: true });
    const turn = useRef(0);
    const again = useCallback(async () => {
        const mine = ++turn.current;
        setState((s) => ({ ...s, loading: true }));
        try {
            const value = await load();
            if (mine === turn.current) {
                setState({ value, error: undefined, loading: false });
            }
        } catch (error) {
            if (mine === turn.current) {
                setState((s) => ({ value: s.value, error, loading: false }));
            }
        }
    }, [load]);
    useEffect(() => {
        const turns = turn;
        void again();
        return () => { turns.current++; };
    }, [again]);
    return { ...state, again };
}

/** Does something once at a time, and keeps what went wrong. */
export function useTask(): { busy: boolean; error: unknown; run: (fn: () => Promise<void>) => Promise<void>; clear: () => void } {
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<unknown>(undefined);
    const run = useCallback(async (fn: () => Promise<void>) => {
        setBusy(true);
        setError(undefined);
        try {
            await fn();
        } catch (e) {
            setError(e);
        } finally {
            setBusy(false);
        }
    }, []);
    const clear = useCallback(() => setError(undefined), []);
    return { busy, error, run, clear };
}

/** Something to note; a screen reader says first of which kind it is. */
export function Notice(props: AlertProps) {
    const kinds: Record<string, string> = { danger: _("Error:"), warning: _("Warning:"), success: _("Good:") };
    return <Alert component="h2" isInline variantLabel={kinds[props.variant ?? ""] ?? ""} {...props} />;
}

/** What went wrong, read out as it appears. */
export function Problem({ error, title }: { error: unknown; title?: string }) {
    if (error === undefined) {
        return null;
    }
    const text = sentence(error);
    return (
        <Notice variant="danger" isLiveRegion title={title ?? text}>
            {title === undefined ? null : text}
        </Notice>
    );
}

/** What is loaded, once it is there. */
export function Await<T>({ of, children, label }: { of: Loaded<T>; children: (value: T) => ReactNode; label: string }) {
    return (
        <>
            <Problem error={of.error} />
            {of.value === undefined && of.loading ? <Spinner size="lg" aria-label={label} /> : null}
            {of.value === undefined ? null : children(of.value)}
        </>
    );
}

interface ConfirmProps {
    title: string;
    action: string;
    danger?: boolean;
    onConfirm: () => Promise<void>;
    onClose: () => void;
    children: ReactNode;
}

/** Asks first. It stays, and says why, where the action fails. */
export function Confirm({ title, action, danger = false, onConfirm, onClose, children }: ConfirmProps) {
    const { busy, error, run } = useTask();
    const confirm = () => run(async () => {
        await onConfirm();
        onClose();
    });
    return (
        <Modal
            isOpen variant={ModalVariant.small} title={title} onClose={onClose} titleIconVariant={danger ? "warning" : undefined}
            actions={[
                <Button key="do" variant={danger ? "danger" : "primary"} isLoading={busy} isDisabled={busy} onClick={() => void confirm()}>{action}</Button>,
                <Button key="cancel" variant="link" onClick={onClose}>{_("Cancel")}</Button>,
            ]}
        >
            <div className="sp-stack">
                {children}
                <Problem error={error} />
            </div>
        </Modal>
    );
}

/** The time, again every so many milliseconds. */
export function useNow(every: number): number {
    const [now, setNow] = useState(() => Date.now());
    useEffect(() => {
        const timer = setInterval(() => setNow(Date.now()), every);
        return () => clearInterval(timer);
    }, [every]);
    return now;
}

/** Puts a text into the clipboard, also where the page was loaded without TLS and the newer way does not exist. */
export async function copy(text: string): Promise<void> {
    if (window.isSecureContext) {
        await navigator.clipboard.writeText(text);
        return;
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("aria-hidden", "true");
    area.className = "sp-offscreen";
    const focused = document.activeElement;
    (document.querySelector("[role=dialog]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy"); // eslint-disable-line @typescript-eslint/no-deprecated -- there is no other way without TLS
    area.remove();
    (focused as HTMLElement | null)?.focus();
}

/** A button that copies a text, and says so to everybody. */
export function CopyButton({ text, label }: { text: string; label: string }) {
    const [said, setSaid] = useState("");
    const onClick = () => copy(text).then(() => setSaid(_("Copied.")), () => setSaid(_("It could not be copied.")));
    return (
        <>
            <Button variant="secondary" onClick={() => void onClick()}>{label}</Button>
            <span role="status" className="sp-said">{said}</span>
        </>
    );
}
