/** Manage Users. */
import { useCallback, useDeferredValue, useMemo, useState } from "react";
import {
    Button, Card, Pagination, SearchInput, ToggleGroup, ToggleGroupItem, Toolbar, ToolbarContent, ToolbarGroup, ToolbarItem,
} from "@patternfly/react-core";
import { Bulk } from "./bulk";
import { UserDetails } from "./details";
import { _, counted } from "./i18n";
import { others, type Action, type Rights, type User } from "./sallyport";
import { Await, useLoaded } from "./ui";
import { allBut, pageOf, search, sorted, type Order } from "./userlist";
import { UserTable } from "./usertable";

interface UsersProps {
    rights: Rights;
    /** The accounts of the person who is logged in: "Disable All" leaves them alone. */
    own: string[];
    /** Whose details are open; without, nobody's. */
    open: string | undefined;
    onOpen: (user?: string) => void;
}

type Kind = "enrolled" | "locked" | "unenrolled";

export function Users(props: UsersProps) {
    const [kind, setKind] = useState<Kind>("enrolled");
    const unenrolled = kind === "unenrolled";
    const load = useCallback(async () => ({ unenrolled, users: await others.users(unenrolled) }), [unenrolled]);
    const loaded = useLoaded(load);
    return (
        <Card>
            <Await of={loaded} label={_("Loading the users")}>
                {(list) => <List {...props} users={list.unenrolled === unenrolled ? list.users : []} kind={kind} setKind={setKind} again={loaded.again} />}
            </Await>
        </Card>
    );
}

interface ListProps extends UsersProps {
    users: User[];
    kind: Kind;
    setKind: (kind: Kind) => void;
    again: () => Promise<void>;
}

interface Task {
    action: Action;
    users: string[];
    spared?: string[];
}

function List({ users, kind, setKind, again, rights, own, open, onOpen }: ListProps) {
    const [text, setText] = useState("");
    const [order, setOrder] = useState<Order>({ by: "user", descending: false });
    const [at, setAt] = useState({ page: 1, size: 20 });
    const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
    const [task, setTask] = useState<Task | null>(null);
    const wanted = useDeferredValue(text);
    const shown = useMemo(() => {
        const some = kind === "locked" ? users.filter((u) => u.locked_until !== undefined) : users;
        return sorted(search(some, wanted), order);
    }, [users, kind, wanted, order]);
    const { rows, page } = pageOf(shown, at.page, at.size);
    const names = useMemo(() => shown.flatMap((u) => (u.user === "" ? [] : [u.user])), [shown]);
    const chosen = useMemo(() => names.filter((n) => selected.has(n)), [names, selected]);
    const choose = (some: string[], on: boolean) => setSelected((before) => {
        const after = new Set(before);
        some.forEach((n) => (on ? after.add(n) : after.delete(n)));
        return after;
    });
    const done = () => {
        setSelected(new Set());
        void again();
    };
    const pages = (bottom: boolean) => (
        <Pagination
            itemCount={shown.length} page={page} perPage={at.size} variant={bottom ? "bottom" : "top"} isCompact={!bottom}
            perPageOptions={[20, 50, 100].map((value) => ({ title: String(value), value }))}
            onSetPage={(_event, n) => setAt((a) => ({ ...a, page: n }))} onPerPageSelect={(_event, size, n) => setAt({ page: n, size })}
            titles={{ ...pageTitles(), paginationAriaLabel: bottom ? _("Pages, below") : _("Pages") }} widgetId={bottom ? "pages-below" : "pages"}
        />
    );
    return (
        <>
            <Toolbar inset={{ default: "insetMd" }} usePageInsets={false}>
                <ToolbarContent>
                    <ToolbarItem variant="search-filter">
                        <SearchInput aria-label={_("Search users")} placeholder={_("Search")} value={text} onClear={() => setText("")}
                            onChange={(_event, value) => { setText(value); setAt((a) => ({ ...a, page: 1 })); }} />
                    </ToolbarItem>
                    <ToolbarItem><Kinds kind={kind} setKind={(k) => { setKind(k); setSelected(new Set()); }} /></ToolbarItem>
                    <Actions kind={kind} rights={rights} chosen={chosen} all={allBut(users, own)}
                        start={(action, some) => setTask({ action, users: some, ...(some === chosen ? {} : { spared: own }) })} />
                    <ToolbarItem variant="pagination" visibility={{ default: "hidden", lg: "visible" }}>{pages(false)}</ToolbarItem>
                </ToolbarContent>
                {chosen.length === 0 ? null : (
                    <ToolbarContent>
                        <ToolbarItem><span role="status">{counted("$0 is selected.", "$0 are selected.", chosen.length)}</span></ToolbarItem>
                        <ToolbarItem>
                            {chosen.length < names.length
                                ? <Button variant="link" isInline onClick={() => choose(names, true)}>{counted("Select all $0", "Select all $0", names.length)}</Button>
                                : null}
                        </ToolbarItem>
                        <ToolbarItem><Button variant="link" isInline onClick={() => setSelected(new Set())}>{_("Select none")}</Button></ToolbarItem>
                    </ToolbarContent>
                )}
            </Toolbar>
            <UserTable rows={rows} order={order} onOrder={setOrder} selected={selected} onSelect={kind === "unenrolled" ? undefined : choose}
                onOpen={onOpen} unenrolled={kind === "unenrolled"} />
            {pages(true)}
            {task === null ? null : <Bulk {...task} onClose={() => setTask(null)} onDone={done} />}
            {open === undefined ? null : <UserDetails name={open} user={users.find((u) => u.user === open)} rights={rights} onClose={() => onOpen()} onChange={() => void again()} />}
        </>
    );
}

function pageTitles() {
    return {
        ofWord: _("of"), items: "", perPageSuffix: _("per page"), currPageAriaLabel: _("Current page"),
        toFirstPageAriaLabel: _("Go to first page"), toPreviousPageAriaLabel: _("Go to previous page"),
        toNextPageAriaLabel: _("Go to next page"), toLastPageAriaLabel: _("Go to last page"),
    };
}

function Kinds({ kind, setKind }: { kind: Kind; setKind: (kind: Kind) => void }) {
    const texts: Record<Kind, string> = { enrolled: _("With a second factor"), locked: _("Locked"), unenrolled: _("Without") };
    return (
        <ToggleGroup aria-label={_("Which users are shown")}>
            {(["enrolled", "locked", "unenrolled"] as const).map((k) => (
                <ToggleGroupItem key={k} buttonId={`users-${k}`} text={texts[k]} isSelected={kind === k} onChange={() => setKind(k)} />
            ))}
        </ToggleGroup>
    );
}

interface ActionsProps {
    kind: Kind;
    rights: Rights;
    chosen: string[];
    all: string[];
    start: (action: Action, users: string[]) => void;
}

function Actions({ kind, rights, chosen, all, start }: ActionsProps) {
    if (kind === "unenrolled") {
        return null;
    }
    return (
        <ToolbarGroup variant="button-group" className="sp-wrap">
            {rights.may.includes("disable") ? (
                <ToolbarItem><Button variant="secondary" isDanger isDisabled={chosen.length === 0} onClick={() => start("Disable", chosen)}>{_("Disable")}</Button></ToolbarItem>
            ) : null}
            {rights.may.includes("unlock") ? (
                <ToolbarItem><Button variant="secondary" isDisabled={chosen.length === 0} onClick={() => start("Unlock", chosen)}>{_("Unlock")}</Button></ToolbarItem>
            ) : null}
            {rights.may.includes("disable") ? (
                <ToolbarItem><Button variant="link" isDanger isDisabled={all.length === 0} onClick={() => start("Disable", all)}>{_("Disable All")}</Button></ToolbarItem>
            ) : null}
        </ToolbarGroup>
    );
}
