import { useState } from "react";
import { Button } from "@patternfly/react-core";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { _, format, moment } from "./i18n";
import type { Session } from "./sallyport";
import { Confirm } from "./ui";

interface SessionTableProps {
    sessions: Session[];
    label: string;
    /** Ends one; without, they are only shown. */
    end?: (session: Session) => Promise<void>;
    /** Whose they are is shown, too. */
    users?: boolean;
}

/** Sessions that are open, each with a button that ends it. */
export function SessionTable({ sessions, label, end, users = false }: SessionTableProps) {
    const [ending, setEnding] = useState<Session | null>(null);
    if (sessions.length === 0) {
        return <p>{_("No session is open.")}</p>;
    }
    return (
        <>
            <Table variant="compact" aria-label={label}>
                <Thead>
                    <Tr>
                        {users ? <Th>{_("User")}</Th> : null}
                        <Th>{_("From")}</Th><Th>{_("Logins")}</Th><Th>{_("Since")}</Th>
                        {end ? <Th screenReaderText={_("Actions")} /> : null}
                    </Tr>
                </Thead>
                <Tbody>
                    {sessions.map((s) => (
                        <Tr key={s.id}>
                            {users ? <Td dataLabel={_("User")}>{s.user}</Td> : null}
                            <Td dataLabel={_("From")}>{s.source}</Td>
                            <Td dataLabel={_("Logins")}>{s.windows.map((w) => [w.service, ...w.terminals].join(" ")).join(", ")}</Td>
                            <Td dataLabel={_("Since")}>{moment(s.since)}</Td>
                            {end ? (
                                <Td>
                                    <Button variant="link" isInline isDanger aria-label={format(_("End the session of $0 from $1"), s.user, s.source)} onClick={() => setEnding(s)}>
                                        {_("End")}
                                    </Button>
                                </Td>
                            ) : null}
                        </Tr>
                    ))}
                </Tbody>
            </Table>
            {ending === null || end === undefined ? null : (
                <Confirm title={_("End this session?")} action={_("End session")} danger onConfirm={() => end(ending)} onClose={() => setEnding(null)}>
                    <p>{format(_("All logins of $0 from $1 end at once; what they had not saved is lost."), ending.user, ending.source)}</p>
                </Confirm>
            )}
        </>
    );
}
