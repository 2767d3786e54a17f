/** The host-wide switch, and that for programs: what they mean now, and a warning first where a change locks people out. */
import { useCallback, useState } from "react";
import { Button, Card, CardBody, CardTitle, Modal, ModalVariant, Spinner, Switch } from "@patternfly/react-core";
import { doctor, type Finding } from "./command";
import { Findings } from "./findings";
import { _, counted, format } from "./i18n";
import { others, type Policy } from "./sallyport";
import { listOf, valueOf } from "./settings";
import { Await, Notice, Problem, useLoaded, useTask } from "./ui";

type Name = "enabled" | "api.enabled";

export function Switches() {
    const policy = useLoaded(others.policy);
    const [change, setChange] = useState<{ name: Name; on: boolean } | null>(null);
    return (
        <Card className="sp-wide">
            <CardTitle component="h2">{_("Two-factor login")}</CardTitle>
            <CardBody>
                <Await of={policy} label={_("Loading the switches")}>
                    {(p) => (
                        <div className="sp-stack">
                            <One policy={p} name="enabled" change={setChange} />
                            <One policy={p} name="api.enabled" change={setChange} />
                            {change === null ? null : <Change {...change} policy={p} onClose={() => setChange(null)} onDone={() => void policy.again()} />}
                        </div>
                    )}
                </Await>
            </CardBody>
        </Card>
    );
}

function One({ policy, name, change }: { policy: Policy; name: Name; change: (to: { name: Name; on: boolean }) => void }) {
    const on = valueOf(policy, name) === "true";
    const text = name === "enabled" ? _("Two-factor login on this host") : _("Programs need a code, too");
    const id = name === "enabled" ? "switch-enabled" : "switch-api";
    return (
        <div>
            <Switch id={id} label={text} aria-describedby={`${id}-means`} isChecked={on} onChange={(_event, to) => change({ name, on: to })} />
            <p id={`${id}-means`} className="sp-means">{name === "enabled" ? hostMeans(on) : programsMean(on, listOf(policy, "api.services"))}</p>
        </div>
    );
}

function hostMeans(on: boolean): string {
    return on ? _("It is on: users can set it up, and who has is asked for codes.")
        : _("It is off: nobody is asked for a code, nobody can set one up, and what has been set up is kept.");
}

function programsMean(on: boolean, services: string[]): string {
    const what = on ? _("Programs need a code: with their request, or behind the password.")
        : _("Programs need no code: a name and a password are enough for them.");
    const whose = services.length === 0 ? _("No service is a program's yet (api.services).") : format(_("These services are programs': $0."), services.join(", "));
    return `${what} ${whose}`;
}

interface ChangeProps {
    name: Name;
    on: boolean;
    policy: Policy;
    onClose: () => void;
    onDone: () => void;
}

/** Asks before a switch is put over, and says first whom that would lock out, or let past. */
function Change({ name, on, policy, onClose, onDone }: ChangeProps) {
    const look = useCallback(() => outlook(name, on, listOf(policy, "api.services")), [name, on, policy]);
    const found = useLoaded(look);
    const { busy, error, run } = useTask();
    const confirm = () => run(async () => {
        await others.set({ [name]: String(on) });
        onDone();
        onClose();
    });
    const danger = (found.value?.findings.length ?? 0) > 0 || (found.value?.refused ?? 0) > 0 || !on;
    return (
        <Modal
            isOpen variant={ModalVariant.medium} title={question(name, on)} onClose={onClose}
            actions={[
                <Button key="do" variant={danger ? "danger" : "primary"} isLoading={busy} isDisabled={busy || found.loading} onClick={() => void confirm()}>
                    {on ? _("Switch on") : _("Switch off")}
                </Button>,
                <Button key="cancel" variant="link" onClick={onClose}>{_("Cancel")}</Button>,
            ]}
        >
            <div className="sp-stack">
                <p>{name === "enabled" ? hostMeans(on) : programsMean(on, listOf(policy, "api.services"))}</p>
                {found.loading ? <p role="status"><Spinner size="md" aria-label={_("Looking")} /> {_("Looking whom this would lock out...")}</p> : null}
                <Problem error={found.error} title={_("It could not be found out whom this would lock out.")} />
                {(found.value?.refused ?? 0) > 0 ? (
                    <Notice isInline variant="danger" title={counted(
                        "$0 user has no second factor: programs that log in as that user are refused.",
                        "$0 users have no second factor: programs that log in as them are refused.", found.value?.refused ?? 0)} />
                ) : null}
                {found.value === undefined ? null : <Findings findings={found.value.findings} heading="h2" />}
                <Problem error={error} />
            </div>
        </Modal>
    );
}

function question(name: Name, on: boolean): string {
    if (name === "enabled") {
        return on ? _("Switch two-factor login on?") : _("Switch two-factor login off?");
    }
    return on ? _("Have programs give a code?") : _("Let programs in without a code?");
}

/** What would lock people out once a switch is over, and how many users programs could not log in as any more. */
async function outlook(name: Name, on: boolean, services: string[]): Promise<{ findings: Finding[]; refused: number }> {
    const [findings, without] = await Promise.all([
        doctor({ [name]: String(on) }),
        name === "api.enabled" && on && services.length > 0 ? others.users(true) : [],
    ]);
    return { findings: findings.filter((f) => f.effect === "locks-out"), refused: without.length };
}
