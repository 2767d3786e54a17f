/** My Account: one's own second factor. */
import { useCallback, useState } from "react";
import {
    Button, Card, CardBody, CardHeader, CardTitle, DescriptionList, DescriptionListDescription, DescriptionListGroup,
    DescriptionListTerm, EmptyState, EmptyStateActions, EmptyStateBody, EmptyStateFooter, EmptyStateHeader, Form, FormGroup, Modal,
    ModalVariant, TextInput,
} from "@patternfly/react-core";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { _, counted, day, format, moment } from "./i18n";
import { CodeField } from "./code";
import { RecoveryCodes } from "./recovery";
import { own, type SecondFactor, type Token } from "./sallyport";
import { SessionTable } from "./sessions";
import { SetupDialog } from "./setup";
import { Await, Notice, Problem, useLoaded, useTask } from "./ui";

type Dialog =
    | { name: "setup"; replaces?: Token }
    | { name: "rename"; token: Token }
    | { name: "remove"; token?: Token }
    | { name: "codes" };

export function Account() {
    const loaded = useLoaded(own.status);
    const [dialog, setDialog] = useState<Dialog | null>(null);
    return (
        <div className="sp-stack">
            <Await of={loaded} label={_("Loading your account")}>
                {(status) => (
                    <>
                        {status.locked_until === undefined ? null : (
                            <Notice variant="warning" isInline title={format(_("Your account is locked after too many wrong codes until $0."), moment(status.locked_until))} />
                        )}
                        {status.enrolled ? <Enrolled status={status} open={setDialog} /> : <NotEnrolled begin={() => setDialog({ name: "setup" })} />}
                        <OwnSessions user={status.user} />
                        {dialog === null ? null : (
                            <OpenDialog dialog={dialog} status={status} onClose={() => setDialog(null)} onDone={() => void loaded.again()} />
                        )}
                    </>
                )}
            </Await>
        </div>
    );
}

function NotEnrolled({ begin }: { begin: () => void }) {
    return (
        <Card>
            <EmptyState>
                <EmptyStateHeader titleText={_("Two-factor authentication is not set up for your account")} headingLevel="h2" />
                <EmptyStateBody>
                    {_("With it, whoever logs in as you needs a code of your phone besides the password. Set it up in a minute with an authenticator app.")}
                </EmptyStateBody>
                <EmptyStateFooter>
                    <EmptyStateActions><Button variant="primary" onClick={begin}>{_("Set up")}</Button></EmptyStateActions>
                </EmptyStateFooter>
            </EmptyState>
        </Card>
    );
}

function Enrolled({ status, open }: { status: SecondFactor; open: (dialog: Dialog) => void }) {
    return (
        <>
            <Card>
                <CardHeader actions={{ hasNoOffset: true, actions: <Button variant="secondary" onClick={() => open({ name: "setup" })}>{_("Add a device")}</Button> }}>
                    <CardTitle component="h2">{_("Devices")}</CardTitle>
                </CardHeader>
                <CardBody><Devices tokens={status.tokens} open={open} /></CardBody>
            </Card>
            <Card>
                <CardTitle component="h2">{_("Second factor")}</CardTitle>
                <CardBody>
                    <DescriptionList isHorizontal isFluid>
                        <DescriptionListGroup>
                            <DescriptionListTerm>{_("Recovery codes")}</DescriptionListTerm>
                            <DescriptionListDescription>
                                <span className="sp-inline">
                                    {counted("$0 is left", "$0 are left", status.recovery_codes)}
                                    <Button variant="link" isInline onClick={() => open({ name: "codes" })}>{_("Replace them")}</Button>
                                </span>
                            </DescriptionListDescription>
                        </DescriptionListGroup>
                        <DescriptionListGroup>
                            <DescriptionListTerm>{_("Last login with a code")}</DescriptionListTerm>
                            <DescriptionListDescription>
                                {status.last === undefined ? _("none that is remembered") : format(_("$0 by $1 from $2"), moment(status.last.at), status.last.service, status.last.source)}
                            </DescriptionListDescription>
                        </DescriptionListGroup>
                    </DescriptionList>
                    <div className="sp-buttons sp-above">
                        <Button variant="danger" onClick={() => open({ name: "remove" })}>{_("Remove two-factor authentication")}</Button>
                    </div>
                </CardBody>
            </Card>
        </>
    );
}

function Devices({ tokens, open }: { tokens: Token[]; open: (dialog: Dialog) => void }) {
    return (
        <Table variant="compact" aria-label={_("Devices")}>
            <Thead>
                <Tr><Th>{_("Name")}</Th><Th>{_("Codes")}</Th><Th>{_("Since")}</Th><Th screenReaderText={_("Actions")} /></Tr>
            </Thead>
            <Tbody>
                {tokens.map((token) => (
                    <Tr key={token.id}>
                        <Td dataLabel={_("Name")}>{token.label}</Td>
                        <Td dataLabel={_("Codes")}>{describe(token)}</Td>
                        <Td dataLabel={_("Since")}>{day(token.confirmed)}</Td>
                        <Td>
                            <div className="sp-row-actions">
                                <Button variant="link" isInline aria-label={format(_("Rename $0"), token.label)} onClick={() => open({ name: "rename", token })}>{_("Rename")}</Button>
                                <Button variant="link" isInline aria-label={format(_("Reconfigure $0"), token.label)} onClick={() => open({ name: "setup", replaces: token })}>{_("Reconfigure")}</Button>
                                <Button variant="link" isInline isDanger aria-label={format(_("Remove $0"), token.label)} onClick={() => open({ name: "remove", token })}>{_("Remove")}</Button>
                            </div>
                        </Td>
                    </Tr>
                ))}
            </Tbody>
        </Table>
    );
}

function describe(token: Token): string {
    return token.period === undefined
        ? format(_("$0 digits, by a counter"), token.digits)
        : format(_("$0 digits, every $1 s"), token.digits, token.period);
}

function OwnSessions({ user }: { user: string }) {
    const load = useCallback(() => own.sessions(user), [user]);
    const sessions = useLoaded(load);
    const end = (id: string) => own.endSession(user, id).then(sessions.again);
    return (
        <Card>
            <CardTitle component="h2">{_("Your sessions")}</CardTitle>
            <CardBody>
                <Await of={sessions} label={_("Loading your sessions")}>
                    {(all) => <SessionTable sessions={all} label={_("Your sessions")} end={(s) => end(s.id)} />}
                </Await>
            </CardBody>
        </Card>
    );
}

interface OpenDialogProps {
    dialog: Dialog;
    status: SecondFactor;
    onClose: () => void;
    onDone: () => void;
}

function OpenDialog({ dialog, status, onClose, onDone }: OpenDialogProps) {
    switch (dialog.name) {
    case "setup":
        return <SetupDialog enrolled={status.enrolled} {...(dialog.replaces ? { replaces: dialog.replaces } : {})} onClose={onClose} onDone={onDone} />;
    case "rename":
        return <Rename token={dialog.token} onClose={onClose} onDone={onDone} />;
    case "remove":
        return <Remove token={dialog.token} last={status.tokens.length === 1} onClose={onClose} onDone={onDone} />;
    case "codes":
        return <ReplaceCodes onClose={onClose} onDone={onDone} />;
    }
}

function Rename({ token, onClose, onDone }: { token: Token; onClose: () => void; onDone: () => void }) {
    const [label, setLabel] = useState(token.label);
    const { busy, error, run } = useTask();
    const submit = () => run(async () => {
        await own.rename(token.id, label.trim());
        onDone();
        onClose();
    });
    return (
        <Modal isOpen variant={ModalVariant.small} title={format(_("Rename $0"), token.label)} onClose={onClose}>
            <Form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
                <FormGroup label={_("New name")} fieldId="rename">
                    <TextInput id="rename" value={label} maxLength={64} onChange={(_event, value) => setLabel(value)} />
                </FormGroup>
                <Problem error={error} />
                <div className="sp-buttons">
                    <Button type="submit" variant="primary" isLoading={busy} isDisabled={busy || label.trim() === "" || label.trim() === token.label}>{_("Rename")}</Button>
                    <Button variant="link" onClick={onClose}>{_("Cancel")}</Button>
                </div>
            </Form>
        </Modal>
    );
}

interface RemoveProps {
    /** What is removed; without, all of it. */
    token: Token | undefined;
    /** It is the only device. */
    last: boolean;
    onClose: () => void;
    onDone: () => void;
}

function Remove({ token, last, onClose, onDone }: RemoveProps) {
    const [code, setCode] = useState("");
    const { busy, error, run } = useTask();
    const submit = () => run(async () => {
        await own.remove(code.trim(), token?.id);
        onDone();
        onClose();
    });
    return (
        <Modal isOpen variant={ModalVariant.small} titleIconVariant="warning" onClose={onClose}
            title={token ? format(_("Remove $0?"), token.label) : _("Remove two-factor authentication?")}>
            <Form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
                <p>
                    {token && !last ? _("Its codes are not accepted any more.")
                        : _("All devices and recovery codes are removed. Where the policy asks for a second factor, you set it up again at your next login, or are refused.")}
                </p>
                <CodeField label={_("Current code or recovery code")} value={code} onChange={setCode} />
                <Problem error={error} />
                <div className="sp-buttons">
                    <Button type="submit" variant="danger" isLoading={busy} isDisabled={busy || code.trim() === ""}>{_("Remove")}</Button>
                    <Button variant="link" onClick={onClose}>{_("Cancel")}</Button>
                </div>
            </Form>
        </Modal>
    );
}

function ReplaceCodes({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
    const [code, setCode] = useState("");
    const [codes, setCodes] = useState<string[] | null>(null);
    const { busy, error, run } = useTask();
    const submit = () => run(async () => {
        setCodes(await own.recoveryCodes(code.trim()));
        onDone();
    });
    return (
        <Modal isOpen variant={ModalVariant.small} title={_("Replace recovery codes")} onClose={onClose} onEscapePress={codes ? () => undefined : onClose}>
            {codes ? <RecoveryCodes codes={codes} intro={_("The recovery codes of before do not work any more.")} onDone={onClose} /> : (
                <Form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
                    <p>{_("New recovery codes take the place of those you have, which stop working.")}</p>
                    <CodeField label={_("Current code or recovery code")} value={code} onChange={setCode} />
                    <Problem error={error} />
                    <div className="sp-buttons">
                        <Button type="submit" variant="primary" isLoading={busy} isDisabled={busy || code.trim() === ""}>{_("Replace")}</Button>
                        <Button variant="link" onClick={onClose}>{_("Cancel")}</Button>
                    </div>
                </Form>
            )}
        </Modal>
    );
}
