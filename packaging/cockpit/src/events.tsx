import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import type { Event } from "./command";
import { _, format, moment } from "./i18n";

/** Entries of the journal, the newest first. */
export function EventTable({ events }: { events: Event[] }) {
    if (events.length === 0) {
        return <p>{_("The journal has none.")}</p>;
    }
    const warning = 4; // syslog(3)
    return (
        <Table variant="compact" aria-label={_("Events")}>
            <Thead><Tr><Th modifier="fitContent">{_("Time")}</Th><Th>{_("Event")}</Th></Tr></Thead>
            <Tbody>
                {events.slice().reverse().map((e, i) => (
                    <Tr key={`${e.time}-${i}`}>
                        <Td dataLabel={_("Time")} modifier="nowrap">{moment(e.time)}</Td>
                        <Td dataLabel={_("Event")} className={e.priority <= warning ? "sp-warning" : ""}>
                            {e.message}
                            {e.sender === undefined ? null : ` ${format(_("[sent by uid $0, not by root]"), e.sender)}`}
                        </Td>
                    </Tr>
                ))}
            </Tbody>
        </Table>
    );
}
