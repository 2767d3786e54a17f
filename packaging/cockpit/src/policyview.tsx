import { Card, CardBody, CardTitle, Title } from "@patternfly/react-core";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { _, format } from "./i18n";
import type { Block, Policy, Setting } from "./sallyport";

/** The policy as all its files make it, with file and line of each value. It can be read here, and not changed. */
export function PolicyView({ policy }: { policy: Policy }) {
    return (
        <Card>
            <CardTitle component="h2">{_("The policy in force")}</CardTitle>
            <CardBody>
                <div className="sp-stack">
                    <SettingsTable settings={policy.settings} label={_("The policy in force")} origins />
                    <Blocks title={_("Rules, in the order in which they count")} blocks={policy.rules} name="rule" />
                    <Blocks title={_("Delegates")} blocks={policy.delegates} name="delegate" />
                </div>
            </CardBody>
        </Card>
    );
}

function Blocks({ title, blocks, name }: { title: string; blocks: Block[]; name: string }) {
    return (
        <>
            <Title headingLevel="h3" size="md">{title}</Title>
            {blocks.length === 0 ? <p>{_("There are none.")}</p> : blocks.map((b) => (
                <div key={`${b.file}:${b.line}`}>
                    <p><code>{`[[${name}]]`}</code> <span className="sp-small">{`${b.file}:${b.line}`}</span></p>
                    <SettingsTable settings={b.settings} label={format(_("$0 at $1"), name, `${b.file}:${b.line}`)} />
                </div>
            ))}
        </>
    );
}

function SettingsTable({ settings, label, origins = false }: { settings: Setting[]; label: string; origins?: boolean }) {
    return (
        <Table variant="compact" aria-label={label}>
            <Thead><Tr><Th>{_("Setting")}</Th><Th>{_("Value")}</Th>{origins ? <Th>{_("Where")}</Th> : null}</Tr></Thead>
            <Tbody>
                {settings.map((s) => (
                    <Tr key={s.name}>
                        <Td dataLabel={_("Setting")}><code>{s.name}</code></Td>
                        <Td dataLabel={_("Value")}><code className="sp-value">{s.value}</code></Td>
                        {origins ? <Td dataLabel={_("Where")}>{s.file === "" ? _("default") : `${s.file}:${s.line}`}</Td> : null}
                    </Tr>
                ))}
            </Tbody>
        </Table>
    );
}
