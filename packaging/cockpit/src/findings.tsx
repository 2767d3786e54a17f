import { List, ListItem } from "@patternfly/react-core";
import type { Finding } from "./command";
import { _, format } from "./i18n";
import { Notice } from "./ui";

interface FindingsProps {
    findings: Finding[];
    /** The level below the heading that they stand under. */
    heading: "h2" | "h3";
}

/** What doctor has found, the worst first. Its sentences are English, as doctor's are. */
export function Findings({ findings, heading }: FindingsProps) {
    return (
        <div className="sp-stack">
            {findings.map((f, i) => (
                <Notice key={`${f.id}-${i}`} component={heading} isInline variant={f.effect === "warns" ? "warning" : "danger"} title={`${effect(f)}: ${f.what}`}>
                    <p lang="en"><Words text={f.outcome} /></p>
                    <Place finding={f} />
                    <Mend finding={f} />
                </Notice>
            ))}
        </div>
    );
}

/** A sentence of doctor's, in which commands stand between backticks. */
function Words({ text }: { text: string }) {
    return <>{text.split("`").map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>;
}

function effect(f: Finding): string {
    switch (f.effect) {
    case "locks-out":
        return _("Locks people out");
    case "lets-past":
        return _("Lets people past");
    case "warns":
        return _("Warning");
    }
}

function Place({ finding: f }: { finding: Finding }) {
    const at = f.file === undefined ? [] : [f.line === undefined ? f.file : `${f.file}:${f.line}`];
    const places = [
        ...at,
        ...(f.services === undefined ? [] : [format(_("services: $0"), f.services.join(", "))]),
        ...(f.users === undefined ? [] : [format(_("users: $0"), f.users.join(", "))]),
    ];
    return places.length === 0 ? null : <p className="sp-small">{places.join(" · ")}</p>;
}

function Mend({ finding: f }: { finding: Finding }) {
    return (
        <>
            {f.mend.text === undefined ? null : <p lang="en"><Words text={f.mend.text} /></p>}
            {f.mend.command === undefined ? null : <p>{_("What mends it:")} <code>{f.mend.command}</code></p>}
            {f.mend.edits === undefined ? null : (
                <List>
                    {f.mend.edits.map((e, i) => (
                        <ListItem key={i}>
                            {`${e.file}:${e.line}`}
                            {e.old === undefined ? null : <div><del><code>{e.old}</code></del></div>}
                            {e.new === undefined ? null : <div><ins><code>{e.new}</code></ins></div>}
                        </ListItem>
                    ))}
                </List>
            )}
        </>
    );
}
