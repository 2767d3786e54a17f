/** Setting up a device: a code of before where there is one, the QR code, the first code, the recovery codes. */
import { useCallback, useId, useRef, useState, type FormEvent } from "react";
import {
    Button, DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm, Form, FormGroup,
    Modal, ModalVariant, TextInput,
} from "@patternfly/react-core";
import { _, format } from "./i18n";
import { serverAhead } from "./command";
import { CodeField } from "./code";
import { grouped, minutes, parseKey, untilNext } from "./otpauth";
import { QRCode } from "./qr";
import { RecoveryCodes } from "./recovery";
import { own, type Setup, type Token } from "./sallyport";
import { CopyButton, Notice, Problem, useNow, useTask } from "./ui";

interface SetupProps {
    /** There is a second factor, whose code is asked for first. */
    enrolled: boolean;
    /** The device that gets a new key; without, it is another device. */
    replaces?: Token;
    onClose: () => void;
    onDone: () => void;
}

type Step = { name: "begin" } | { name: "scan"; setup: Setup; ahead: number } | { name: "saved"; device: string; codes: string[] };

export function SetupDialog({ enrolled, replaces, onClose, onDone }: SetupProps) {
    const [step, setStep] = useState<Step>({ name: "begin" });
    const title = replaces ? format(_("Reconfigure $0"), replaces.label)
        : enrolled ? _("Add a device") : _("Set up two-factor authentication");
    const close = () => {
        if (step.name === "saved") {
            onDone();
        }
        onClose();
    };
    const confirmed = (device: string, codes: string[]) => {
        if (codes.length > 0) {
            setStep({ name: "saved", device, codes });
            return;
        }
        onDone();
        onClose();
    };
    return (
        <Modal isOpen variant={ModalVariant.medium} title={title} onClose={close} onEscapePress={step.name === "saved" ? () => undefined : close}>
            {step.name === "begin" ? (
                <Begin enrolled={enrolled} replaces={replaces} onCancel={onClose}
                    onBegun={(setup, ahead) => setStep({ name: "scan", setup, ahead })} />
            ) : step.name === "scan" ? (
                <Scan setup={step.setup} ahead={step.ahead} onCancel={onClose} onAgain={() => setStep({ name: "begin" })} onConfirmed={confirmed} />
            ) : (
                <RecoveryCodes codes={step.codes} onDone={close}
                    intro={format(_("Two-factor authentication is on for your account; \"$0\" makes its codes."), step.device)} />
            )}
        </Modal>
    );
}

interface BeginProps {
    enrolled: boolean;
    replaces: Token | undefined;
    onBegun: (setup: Setup, ahead: number) => void;
    onCancel: () => void;
}

function Begin({ enrolled, replaces, onBegun, onCancel }: BeginProps) {
    const [label, setLabel] = useState("");
    const [code, setCode] = useState("");
    const { busy, error, run } = useTask();
    const id = useId();
    const submit = (event: FormEvent) => {
        event.preventDefault();
        void run(async () => {
            const setup = await own.enroll({
                ...(replaces ? { reconfigure: replaces.id } : label.trim() === "" ? {} : { label: label.trim() }),
                ...(enrolled ? { code: code.trim() } : {}),
            });
            onBegun(setup, await serverAhead());
        });
    };
    return (
        <Form onSubmit={submit}>
            {replaces
                ? <p>{_("The device gets a new key. It has the old one until the first code of the new one is confirmed.")}</p>
                : <p>{_("You need an authenticator app, usually on a phone. Nothing is on before its first code is confirmed.")}</p>}
            {replaces ? null : (
                <FormGroup label={_("Name of the device")} fieldId={id}>
                    <TextInput id={id} value={label} onChange={(_event, value) => setLabel(value)} placeholder={_("phone")} maxLength={64} />
                </FormGroup>
            )}
            {enrolled ? <CodeField label={_("Current code or recovery code")} value={code} onChange={setCode} /> : null}
            <Problem error={error} />
            <div className="sp-buttons">
                <Button type="submit" variant="primary" isLoading={busy} isDisabled={busy || (enrolled && code.trim() === "")}>{_("Continue")}</Button>
                <Button variant="link" onClick={onCancel}>{_("Cancel")}</Button>
            </div>
        </Form>
    );
}

interface ScanProps {
    setup: Setup;
    /** The server's time less the browser's. */
    ahead: number;
    onConfirmed: (device: string, recoveryCodes: string[]) => void;
    onAgain: () => void;
    onCancel: () => void;
}

function Scan({ setup, ahead, onConfirmed, onAgain, onCancel }: ScanProps) {
    const [code, setCode] = useState("");
    const { busy, error, run } = useTask();
    const field = useRef<HTMLInputElement>(null);
    const now = useNow(1000) + ahead;
    const left = new Date(setup.expires).getTime() - now;
    const expired = left <= 0;
    const submit = useCallback((event: FormEvent) => {
        event.preventDefault();
        void run(async () => {
            try {
                const done = await own.confirm(setup.id, code.trim());
                onConfirmed(done.token, done.recovery_codes);
            } catch (e) {
                setCode("");
                field.current?.focus();
                throw e;
            }
        });
    }, [run, setup.id, code, onConfirmed]);
    const key = parseKey(setup.uri);
    return (
        <Form onSubmit={submit}>
            <p>{_("Scan this with your authenticator app, or type the key into it. Then give the code that the app shows.")}</p>
            <div className="sp-setup">
                <QRCode text={setup.uri} label={_("QR code for your authenticator app")} />
                <div className="sp-stack">
                    <TypedKey account={key.account} issuer={key.issuer} secret={setup.secret} />
                    <p className="sp-countdown" role="timer">
                        {expired ? _("The key is not good any more.") : format(_("The key waits for its first code for $0 more minutes."), minutes(left))}
                    </p>
                    {key.period > 0 && !expired ? <NextCode seconds={untilNext(now, key.period)} period={key.period} /> : null}
                </div>
            </div>
            {expired ? <Notice variant="warning" isInline isLiveRegion title={_("This took too long. Begin again for a new key.")} /> : (
                <CodeField label={_("Code from the app")} value={code} onChange={setCode} numeric inputRef={field} />
            )}
            <Problem error={error} />
            <div className="sp-buttons">
                {expired
                    ? <Button variant="primary" onClick={onAgain}>{_("Begin again")}</Button>
                    : <Button type="submit" variant="primary" isLoading={busy} isDisabled={busy || code.trim() === ""}>{_("Confirm")}</Button>}
                <Button variant="link" onClick={onCancel}>{_("Cancel")}</Button>
            </div>
        </Form>
    );
}

function TypedKey({ account, issuer, secret }: { account: string; issuer: string; secret: string }) {
    return (
        <>
            <DescriptionList isCompact aria-label={_("To type into the app")}>
                <DescriptionListGroup>
                    <DescriptionListTerm>{_("Account")}</DescriptionListTerm>
                    <DescriptionListDescription>{account}{issuer === "" ? null : ` (${issuer})`}</DescriptionListDescription>
                </DescriptionListGroup>
                <DescriptionListGroup>
                    <DescriptionListTerm>{_("Key")}</DescriptionListTerm>
                    <DescriptionListDescription><code className="sp-key">{grouped(secret)}</code></DescriptionListDescription>
                </DescriptionListGroup>
            </DescriptionList>
            <div><CopyButton text={secret} label={_("Copy key")} /></div>
        </>
    );
}

/** How long the code that the app shows now stays, as a bar that empties. Not read out: it changes every second. */
function NextCode({ seconds, period }: { seconds: number; period: number }) {
    return (
        <div className="sp-next" aria-hidden="true">
            <svg viewBox={`0 0 ${period} 1`} preserveAspectRatio="none"><rect width={seconds} height="1" /></svg>
            {format(_("The app shows the next code in $0 s."), seconds)}
        </div>
    );
}
