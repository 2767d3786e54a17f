/** Settings: what an administrator changes, and the policy that results. */
import { useId, useState, type FormEvent } from "react";
import {
    Button, Card, CardBody, CardTitle, Form, FormFieldGroup, FormFieldGroupHeader, FormGroup, FormHelperText, FormSelect, FormSelectOption,
    HelperText, HelperTextItem, TextArea, TextInput,
} from "@patternfly/react-core";
import { _, format } from "./i18n";
import { PolicyView } from "./policyview";
import { others, type Policy, type Setting } from "./sallyport";
import { sentence, settingOf } from "./sentence";
import { changes, contradiction, fault, kinds, names, settingOfPolicy, shown, valueOf, type Name } from "./settings";
import { Await, Problem, useLoaded, useTask } from "./ui";

export function Settings() {
    const policy = useLoaded(others.policy);
    return (
        <div className="sp-stack">
            <Await of={policy} label={_("Loading the settings")}>
                {(p) => (
                    <>
                        <Card>
                            <CardTitle component="h2">{_("Settings")}</CardTitle>
                            <CardBody><SettingsForm policy={p} again={policy.again} /></CardBody>
                        </Card>
                        <PolicyView policy={p} />
                    </>
                )}
            </Await>
        </div>
    );
}

type Typed = Record<Name, string>;

const read = (policy: Policy): Typed => Object.fromEntries(names.map((n) => [n, shown(n, valueOf(policy, n))])) as Typed;

function SettingsForm({ policy, again }: { policy: Policy; again: () => Promise<void> }) {
    const [typed, setTyped] = useState<Typed>(() => read(policy));
    const [said, setSaid] = useState("");
    const { busy, error, run, clear } = useTask();
    const changed = changes(policy, typed);
    const against = contradiction(typed);
    const good = names.every((n) => fault(n, typed[n]) === "") && against === "";
    const type = (name: Name, text: string) => {
        setTyped((t) => ({ ...t, [name]: text }));
        setSaid("");
        clear();
    };
    const set = (settings: Record<string, string | null>) => run(async () => {
        const done = await others.set(settings);
        setTyped((t) => ({ ...t, ...Object.fromEntries(done.settings.map((s) => [s.name, shown(s.name as Name, s.value)])) }));
        setSaid(_("Saved. The settings hold at once."));
        await again();
    });
    const submit = (event: FormEvent) => {
        event.preventDefault();
        void set(changed);
    };
    const field = (name: Name, label: string, help: string) => (
        <Field name={name} label={label} help={help} typed={typed[name]} setting={settingOfPolicy(policy, name)}
            refused={settingOf(error) === name ? sentence(error) : name === "lockout.lock_max" ? against : ""}
            onType={(text) => type(name, text)} onReset={() => void set({ [name]: null })} />
    );
    return (
        <Form onSubmit={submit} isWidthLimited>
            <Group title={_("Set-up")}>{field("issuer", _("Issuer"), _("What authenticator apps show above the code. Empty: the name of this host."))}</Group>
            <Group title={_("Codes")}>{field("codes.window", _("Window"), _("Codes are accepted that many time steps before and after now."))}</Group>
            <Group title={_("Lockout")}>
                {field("lockout.failures", _("Wrong codes from one source"), _("So many lock that source out."))}
                {field("lockout.within", _("Within"), _("The time in which they count, such as 10m."))}
                {field("lockout.lock", _("First lock"), _("How long it holds. Each repeat doubles it."))}
                {field("lockout.lock_max", _("Longest lock"), _("No lock is longer than that."))}
                {field("lockout.user_failures", _("Wrong codes for one user in a day"), _("From all sources together; so many lock that user out everywhere but where a right code came from lately."))}
            </Group>
            <Group title={_("Sessions")}>
                {field("sessions.limit", _("Sessions a user may have"), _("0: they are not limited."))}
                {field("sessions.excess", _("Beyond the limit"), _("What happens to one session too many."))}
            </Group>
            <Group title={_("Clock")}>{field("clock.servers", _("NTP servers"), _("One to a line. Empty: the kernel, the host's own NTP client, and the codes that people type."))}</Group>
            {settingOf(error) === "" ? <Problem error={error} /> : null}
            <div className="sp-buttons">
                <Button type="submit" variant="primary" isLoading={busy} isDisabled={busy || !good || Object.keys(changed).length === 0}>{_("Save")}</Button>
                <Button variant="link" isDisabled={busy || Object.keys(changed).length === 0} onClick={() => { setTyped(read(policy)); clear(); }}>{_("Discard changes")}</Button>
                <span role="status" className="sp-said">{said}</span>
            </div>
        </Form>
    );
}

function Group({ title, children }: { title: string; children: React.ReactNode }) {
    const id = useId();
    return <FormFieldGroup header={<FormFieldGroupHeader titleText={{ text: title, id }} />}>{children}</FormFieldGroup>;
}

interface FieldProps {
    name: Name;
    label: string;
    help: string;
    typed: string;
    setting: Setting | undefined;
    /** What the daemon, or another field, has against it; empty: nothing. */
    refused: string;
    onType: (text: string) => void;
    onReset: () => void;
}

const managed = "/50-managed.toml";

function Field({ name, label, help, typed, setting, refused, onType, onReset }: FieldProps) {
    const id = `setting-${name.replace(".", "-")}`;
    const wrong = fault(name, typed) || refused;
    const common = {
        id, value: typed, validated: wrong === "" ? "default" as const : "error" as const, "aria-describedby": `${id}-help`,
        onChange: (_event: unknown, text: string) => onType(text),
    };
    const kind = kinds[name];
    return (
        <FormGroup label={label} fieldId={id}>
            {kind.is === "choice" ? (
                <FormSelect {...common}>{kind.of.map((value) => <FormSelectOption key={value} value={value} label={choice(value)} />)}</FormSelect>
            ) : kind.is === "servers" ? <TextArea {...common} resizeOrientation="vertical" /> : (
                <TextInput {...common} inputMode={kind.is === "number" ? "numeric" : "text"} />
            )}
            <FormHelperText>
                <HelperText id={`${id}-help`} isLiveRegion>
                    {wrong === "" ? <HelperTextItem>{help}</HelperTextItem> : <HelperTextItem variant="error">{wrong}</HelperTextItem>}
                </HelperText>
                <span className="sp-small sp-inline">
                    {setting === undefined ? null : setting.file === "" ? _("This is the default.") : format(_("Set at $0."), `${setting.file}:${setting.line}`)}
                    {setting?.file.endsWith(managed) ? (
                        <Button variant="link" isInline onClick={onReset} aria-label={format(_("Take back: $0"), label)}>{_("Take back")}</Button>
                    ) : null}
                </span>
            </FormHelperText>
        </FormGroup>
    );
}

function choice(value: string): string {
    switch (value) {
    case "displace":
        return _("The oldest session ends");
    case "deny":
        return _("The new one is refused");
    case "ask":
        return _("The person is asked");
    default:
        return value;
    }
}
