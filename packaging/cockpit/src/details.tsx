/** One user, with devices, sessions and what happened. */
import { useCallback, useState } from "react";
import {
    Button, DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm, Modal, ModalVariant, Title,
} from "@patternfly/react-core";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { Bulk } from "./bulk";
import { events } from "./command";
import { EventTable } from "./events";
import { _, day, format, moment } from "./i18n";
import { others, type Action, type Device, type Rights, type User } from "./sallyport";
import { SessionTable } from "./sessions";
import { Await, useLoaded } from "./ui";
import { State } from "./usertable";

interface DetailsProps {
    name: string;
    /** What the list has of it; without, it has no second factor or is none of the caller's. */
    user: User | undefined;
    rights: Rights;
    onClose: () => void;
    onChange: () => void;
}

export function UserDetails({ name, user, rights, onClose, onChange }: DetailsProps) {
    const [asked, setAsked] = useState<Action | null>(null);
    if (asked !== null) {
        return <Bulk action={asked} users={[name]} onClose={() => setAsked(null)} onDone={onChange} />;
    }
    const has = user !== undefined && (user.devices.length > 0 || user.problem !== undefined);
    return (
        <Modal
            isOpen variant={ModalVariant.large} title={name} onClose={onClose}
            actions={[
                ...(has && rights.may.includes("disable") ? [<Button key="disable" variant="danger" onClick={() => setAsked("Disable")}>{_("Disable")}</Button>] : []),
                ...(user?.locked_until !== undefined && rights.may.includes("unlock") ? [<Button key="unlock" variant="secondary" onClick={() => setAsked("Unlock")}>{_("Unlock")}</Button>] : []),
                <Button key="close" variant="link" onClick={onClose}>{_("Close")}</Button>,
            ]}
        >
            <div className="sp-stack">
                {has ? <Facts user={user} /> : <p>{_("No second factor is set up.")}</p>}
                {rights.root || rights.may.includes("sessions") ? <Sessions name={name} /> : null}
                {rights.root ? <Events name={name} /> : null}
            </div>
        </Modal>
    );
}

function Facts({ user }: { user: User }) {
    return (
        <>
            <DescriptionList isHorizontal isCompact columnModifier={{ lg: "2Col" }}>
                <Fact term={_("State")}><State user={user} /></Fact>
                <Fact term={_("Since")}>{user.since === undefined ? "-" : day(user.since)}</Fact>
                <Fact term={_("Last login with a code")}>
                    {user.last === undefined ? _("none that is remembered") : format(_("$0 by $1 from $2"), moment(user.last.at), user.last.service, user.last.source)}
                </Fact>
                <Fact term={_("Recovery codes")}>{user.recovery_codes}</Fact>
            </DescriptionList>
            <Title headingLevel="h2" size="md">{_("Devices")}</Title>
            <Devices devices={user.devices} />
        </>
    );
}

function Fact({ term, children }: { term: string; children: React.ReactNode }) {
    return (
        <DescriptionListGroup>
            <DescriptionListTerm>{term}</DescriptionListTerm>
            <DescriptionListDescription>{children}</DescriptionListDescription>
        </DescriptionListGroup>
    );
}

function Devices({ devices }: { devices: Device[] }) {
    return (
        <Table variant="compact" aria-label={_("Devices")}>
            <Thead><Tr><Th>{_("Name")}</Th><Th>{_("Kind")}</Th><Th>{_("Its clock")}</Th></Tr></Thead>
            <Tbody>
                {devices.map((d) => (
                    <Tr key={d.label}>
                        <Td dataLabel={_("Name")}>{d.label}</Td>
                        <Td dataLabel={_("Kind")}>{d.kind === "totp" ? _("by time") : _("by a counter")}</Td>
                        <Td dataLabel={_("Its clock")}>{drift(d)}</Td>
                    </Tr>
                ))}
            </Tbody>
        </Table>
    );
}

function drift(d: Device): string {
    if (d.drift === undefined) {
        return "-";
    }
    if (d.drift === 0) {
        return _("right");
    }
    return d.drift > 0 ? format(_("$0 s fast"), d.drift) : format(_("$0 s slow"), -d.drift);
}

function Sessions({ name }: { name: string }) {
    const load = useCallback(() => others.sessions(name), [name]);
    const sessions = useLoaded(load);
    return (
        <>
            <Title headingLevel="h2" size="md">{_("Sessions")}</Title>
            <Await of={sessions} label={_("Loading the sessions")}>
                {(all) => <SessionTable sessions={all} label={_("Sessions")} end={(s) => others.endSession(s.user, s.id).then(sessions.again)} />}
            </Await>
        </>
    );
}

function Events({ name }: { name: string }) {
    const load = useCallback(() => events({ user: name, lines: 50 }), [name]);
    const loaded = useLoaded(load);
    return (
        <>
            <Title headingLevel="h2" size="md">{_("Events")}</Title>
            <Await of={loaded} label={_("Loading the events")}>{(all) => <EventTable events={all} />}</Await>
        </>
    );
}
