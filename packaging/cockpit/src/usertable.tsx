import { Button, Label } from "@patternfly/react-core";
import { SortByDirection, Table, Tbody, Td, Th, Thead, Tr, type ThProps } from "@patternfly/react-table";
import { _, day, format, moment } from "./i18n";
import type { User } from "./sallyport";
import type { Column, Order } from "./userlist";

interface UserTableProps {
    rows: User[];
    order: Order;
    onOrder: (order: Order) => void;
    selected: ReadonlySet<string>;
    /** Without, nobody can be selected. */
    onSelect: ((users: string[], on: boolean) => void) | undefined;
    onOpen: (user: string) => void;
    /** Those without a second factor have nothing but a name. */
    unenrolled: boolean;
}

/** One page of users. */
export function UserTable({ rows, order, onOrder, selected, onSelect, onOpen, unenrolled }: UserTableProps) {
    const columns = unenrolled ? unenrolledColumns() : enrolledColumns();
    const names = rows.flatMap((u) => (u.user === "" ? [] : [u.user]));
    const sort = (by: Column, index: number): NonNullable<ThProps["sort"]> => ({
        columnIndex: index,
        sortBy: { index: columns.findIndex((c) => c.by === order.by), direction: order.descending ? SortByDirection.desc : SortByDirection.asc },
        onSort: (_event, _index, direction) => onOrder({ by, descending: direction === SortByDirection.desc }),
    });
    return (
        <Table variant="compact" aria-label={_("Users")}>
            <Thead>
                <Tr>
                    {onSelect ? (
                        <Th className="pf-v5-c-table__check">
                            <Box label={_("Select this page")} on={names.length > 0 && names.every((n) => selected.has(n))}
                                disabled={names.length === 0} onSelect={(on) => onSelect(names, on)} />
                        </Th>
                    ) : null}
                    {columns.map((c, i) => <Th key={c.by} sort={sort(c.by, i)} modifier="nowrap">{c.title}</Th>)}
                </Tr>
            </Thead>
            <Tbody>
                {rows.length === 0 ? <Tr><Td colSpan={columns.length + 1}>{_("There is nobody.")}</Td></Tr> : null}
                {rows.map((user, i) => (
                    <Tr key={user.user || `stray-${i}`}>
                        {onSelect ? (
                            <Td className="pf-v5-c-table__check">
                                <Box label={format(_("Select $0"), user.user || _("(no record)"))} on={selected.has(user.user)}
                                    disabled={user.user === ""} onSelect={(on) => onSelect([user.user], on)} />
                            </Td>
                        ) : null}
                        {columns.map((c) => (
                            <Td key={c.by} dataLabel={c.title}>
                                {c.by === "user" && user.user !== ""
                                    ? <Button variant="link" isInline onClick={() => onOpen(user.user)}>{user.user}</Button> : c.cell(user)}
                            </Td>
                        ))}
                    </Tr>
                ))}
            </Tbody>
        </Table>
    );
}

interface BoxProps {
    label: string;
    on: boolean;
    disabled: boolean;
    onSelect: (on: boolean) => void;
}

/** What selects. PatternFly's own is "Select row 0", in English, whatever it is told. */
function Box({ label, on, disabled, onSelect }: BoxProps) {
    return <label><input type="checkbox" aria-label={label} checked={on} disabled={disabled} onChange={(event) => onSelect(event.target.checked)} /></label>;
}

interface Shown {
    by: Column;
    title: string;
    cell: (u: User) => React.ReactNode;
}

function unenrolledColumns(): Shown[] {
    return [{ by: "user", title: _("User"), cell: () => _("(no record)") }];
}

function enrolledColumns(): Shown[] {
    return [
        ...unenrolledColumns(),
        { by: "devices", title: _("Devices"), cell: (u) => u.devices.map((d) => d.label).join(", ") },
        { by: "since", title: _("Since"), cell: (u) => (u.since === undefined ? "" : day(u.since)) },
        { by: "last", title: _("Last login"), cell: (u) => (u.last === undefined ? "" : format(_("$0, $1"), moment(u.last.at), u.last.service)) },
        { by: "codes", title: _("Recovery codes"), cell: (u) => u.recovery_codes },
        { by: "state", title: _("State"), cell: (u) => <State user={u} /> },
    ];
}

export function State({ user }: { user: User }) {
    if (user.problem !== undefined) {
        return <><Label color="red" isCompact>{_("Cannot be used")}</Label> <span className="sp-small">{user.problem}</span></>;
    }
    if (user.locked_until !== undefined) {
        return <Label color="orange" isCompact>{format(_("Locked until $0"), moment(user.locked_until))}</Label>;
    }
    return <Label color="green" isCompact>{_("On")}</Label>;
}
