/** Doing something to many users: asked first, with progress, and with what failed for whom. */
import { useEffect, useRef, useState } from "react";
import { Button, List, ListItem, Modal, ModalVariant, Progress } from "@patternfly/react-core";
import { _, counted, format } from "./i18n";
import { toEach, type Action, type Failed } from "./sallyport";
import { sentence } from "./sentence";
import { Notice, Problem, useTask } from "./ui";

interface BulkProps {
    action: Action;
    users: string[];
    /** Accounts that "Disable All" leaves alone. */
    spared?: string[];
    onClose: () => void;
    onDone: () => void;
}

const most = 10;

export function Bulk({ action, users, spared = [], onClose, onDone }: BulkProps) {
    const [done, setDone] = useState(0);
    const [failed, setFailed] = useState<Failed[] | null>(null);
    const { busy, error, run } = useTask();
    const stop = useRef(new AbortController());
    useEffect(() => {
        const controller = stop.current;
        return () => controller.abort();
    }, []);
    const confirm = () => run(async () => {
        try {
            const all = await toEach(action, users, setDone, stop.current.signal);
            if (all.length === 0) {
                onClose();
            }
            setFailed(all);
        } finally {
            onDone();
        }
    });
    const cancel = () => {
        stop.current.abort();
        onClose();
    };
    const text = words(action, users);
    const finished = failed !== null;
    return (
        <Modal
            isOpen variant={ModalVariant.small} title={text.title} titleIconVariant={action === "Disable" ? "warning" : undefined} onClose={cancel}
            actions={finished ? [<Button key="close" variant="primary" onClick={onClose}>{_("Close")}</Button>] : [
                <Button key="do" variant={action === "Disable" ? "danger" : "primary"} isLoading={busy} isDisabled={busy || users.length === 0} onClick={() => void confirm()}>
                    {text.button}
                </Button>,
                <Button key="cancel" variant="link" onClick={cancel}>{busy ? _("Stop") : _("Cancel")}</Button>,
            ]}
        >
            <div className="sp-stack">
                {finished ? <Failures failed={failed} done={users.length - failed.length} /> : (
                    <>
                        <p>{text.body}</p>
                        <p>{users.length <= most ? users.join(", ") : format(_("$0 and $1 more"), users.slice(0, most).join(", "), users.length - most)}</p>
                        {spared.length === 0 ? null : <p>{format(_("Your own accounts are left alone: $0."), spared.join(", "))}</p>}
                        {busy && users.length > 1 ? <Progress value={done} max={users.length} label={`${done} / ${users.length}`} title={_("Progress")} /> : null}
                    </>
                )}
                <Problem error={error} />
            </div>
        </Modal>
    );
}

function words(action: Action, users: string[]): { title: string; body: string; button: string } {
    const n = users.length;
    if (action === "Unlock") {
        return {
            title: counted("Unlock $0 user?", "Unlock $0 users?", n), button: _("Unlock"),
            body: _("Locks end, and wrong codes are forgotten."),
        };
    }
    return {
        title: counted("Disable the second factor of $0 user?", "Disable the second factors of $0 users?", n), button: _("Disable"),
        body: _("Devices, recovery codes and locks are removed. Until they set it up again, a password or a key is enough where the policy allows that."),
    };
}

function Failures({ failed, done }: { failed: Failed[]; done: number }) {
    return (
        <Notice variant="danger" isInline isLiveRegion title={format(_("Done: $0. Failed: $1."), done, failed.length)}>
            <List>
                {failed.slice(0, most).map((f) => <ListItem key={f.user}>{`${f.user}: ${sentence(f.error)}`}</ListItem>)}
            </List>
        </Notice>
    );
}
