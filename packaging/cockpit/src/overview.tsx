/** The overview: the switches, and how the host stands. */
import { useCallback, useState } from "react";
import { Button, Card, CardBody, CardHeader, CardTitle, DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm } from "@patternfly/react-core";
import { Bulk } from "./bulk";
import { doctor, events } from "./command";
import { Findings } from "./findings";
import { _, format, moment } from "./i18n";
import { LoginPlot, OffsetPlot } from "./plots";
import { others, type ClockState, type User } from "./sallyport";
import { SessionTable } from "./sessions";
import { Switches } from "./switches";
import { byHour } from "./tables";
import { Await, type Loaded, Notice, useLoaded } from "./ui";

export function Overview() {
    return (
        <div className="sp-cards">
            <Switches />
            <Health />
            <Logins />
            <Clock />
            <Locked />
            <Sessions />
        </div>
    );
}

interface PanelProps<T> {
    title: string;
    of: Loaded<T>;
    children: (value: T) => React.ReactNode;
}

/** A card of something that is loaded, and can be loaded again. */
function Panel<T>({ title, of, children }: PanelProps<T>) {
    const again = <Button variant="link" isInline isDisabled={of.loading} onClick={() => void of.again()} aria-label={format(_("Refresh: $0"), title)}>{_("Refresh")}</Button>;
    return (
        <Card>
            <CardHeader actions={{ actions: again, hasNoOffset: true }}><CardTitle component="h2">{title}</CardTitle></CardHeader>
            <CardBody><Await of={of} label={format(_("Loading: $0"), title)}>{children}</Await></CardBody>
        </Card>
    );
}

const examine = () => doctor();

function Health() {
    const found = useLoaded(examine);
    return (
        <Panel title={_("Health")} of={found}>
            {(all) => (all.length === 0
                ? <Notice component="h3" isInline variant="success" title={_("Nothing is wrong.")} />
                : <Findings findings={all} heading="h3" />)}
        </Panel>
    );
}

/** As many events as are counted; on a host with more in a day, the newest. */
const mostEvents = 50_000;
const lastDay = () => events({ since: "-24h", lines: mostEvents });

function Logins() {
    const loaded = useLoaded(lastDay);
    return (
        <Panel title={_("Logins by hour")} of={loaded}>
            {(all) => <LoginPlot hours={byHour(all, new Date())} />}
        </Panel>
    );
}

function Clock() {
    const clock = useLoaded(others.clock);
    return (
        <Panel title={_("Clock")} of={clock}>
            {(c) => (
                <div className="sp-stack">
                    <Notice component="h3" isInline variant={c.wrong ? "danger" : c.offset === undefined ? "warning" : "success"} title={c.text}>
                        {c.mend === undefined ? null : <p>{_("What mends it:")} <code>{c.mend}</code></p>}
                        {c.hint === undefined ? null : <p lang="en">{c.hint}</p>}
                    </Notice>
                    {c.history.length === 0 ? null : <OffsetPlot history={c.history} warn={c.warn} now={new Date()} />}
                    <Sources sources={c.sources} />
                </div>
            )}
        </Panel>
    );
}

function Sources({ sources }: { sources: ClockState["sources"] }) {
    return (
        <DescriptionList isHorizontal isCompact isFluid>
            {sources.map((s) => (
                <DescriptionListGroup key={s.name}>
                    <DescriptionListTerm>{s.name}</DescriptionListTerm>
                    <DescriptionListDescription>{s.text}</DescriptionListDescription>
                </DescriptionListGroup>
            ))}
        </DescriptionList>
    );
}

const lockedUsers = async () => (await others.users()).filter((u) => u.locked_until !== undefined);

function Locked() {
    const locked = useLoaded(lockedUsers);
    const [unlocking, setUnlocking] = useState<string | null>(null);
    return (
        <Panel title={_("Locked accounts")} of={locked}>
            {(all) => (
                <>
                    {all.length === 0 ? <p>{_("Nobody is locked.")}</p> : <LockedList users={all} unlock={setUnlocking} />}
                    {unlocking === null ? null : (
                        <Bulk action="Unlock" users={[unlocking]} onClose={() => setUnlocking(null)} onDone={() => void locked.again()} />
                    )}
                </>
            )}
        </Panel>
    );
}

function LockedList({ users, unlock }: { users: User[]; unlock: (user: string) => void }) {
    return (
        <ul className="sp-list" aria-label={_("Locked accounts")}>
            {users.map((u) => (
                <li key={u.user}>
                    <span>{format(_("$0, until $1"), u.user, u.locked_until === undefined ? "" : moment(u.locked_until))}</span>
                    <Button variant="link" isInline aria-label={format(_("Unlock $0"), u.user)} onClick={() => unlock(u.user)}>{_("Unlock")}</Button>
                </li>
            ))}
        </ul>
    );
}

function Sessions() {
    const load = useCallback(() => others.sessions(), []);
    const sessions = useLoaded(load);
    return (
        <Panel title={_("Open sessions")} of={sessions}>
            {(all) => <SessionTable sessions={all} label={_("Open sessions")} users end={(s) => others.endSession(s.user, s.id).then(sessions.again)} />}
        </Panel>
    );
}
