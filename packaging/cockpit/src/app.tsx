/** The page: what the caller may do decides which of its parts there are. */
import { useCallback, useEffect, useState } from "react";
import cockpit from "cockpit";
import { Page, PageSection, PageSectionVariants, Tab, TabTitleText, Tabs, Title } from "@patternfly/react-core";
import { Account } from "./account";
import { _ } from "./i18n";
import { Overview } from "./overview";
import { others, type Rights } from "./sallyport";
import { Settings } from "./settingsform";
import { Await, useLoaded } from "./ui";
import { Users } from "./users";

interface Person {
    name: string;
    rights: Rights;
}

// Whoever gets or gives up administrative access gets the page anew: permission() sees to that.
cockpit.permission({ admin: true });

async function whoIsThere(): Promise<Person> {
    const [user, rights] = await Promise.all([cockpit.user(), others.rights()]);
    return { name: user.name, rights };
}

/** Where one is: #/users/alice is ["users", "alice"]. */
function usePath(): string[] {
    const [path, setPath] = useState(() => cockpit.location.path);
    useEffect(() => {
        const follow = () => setPath(cockpit.location.path);
        cockpit.addEventListener("locationchanged", follow);
        return () => cockpit.removeEventListener("locationchanged", follow);
    }, []);
    return path;
}

export function App() {
    const person = useLoaded(whoIsThere);
    return (
        <Page>
            <PageSection variant={PageSectionVariants.light}>
                <Title headingLevel="h1">{_("Two-Factor Authentication")}</Title>
            </PageSection>
            <Await of={person} label={_("Loading")}>{(p) => <Parts person={p} />}</Await>
        </Page>
    );
}

interface Part {
    key: string;
    title: string;
    content: React.ReactNode;
}

function Parts({ person }: { person: Person }) {
    const path = usePath();
    const openUser = useCallback((user?: string) => cockpit.location.go(user === undefined ? ["users"] : ["users", user]), []);
    const parts: Part[] = [];
    if (person.rights.root) {
        parts.push({ key: "overview", title: _("Overview"), content: <Overview /> });
    }
    if (person.rights.may.includes("list")) {
        parts.push({
            key: "users", title: _("Manage Users"),
            content: <Users rights={person.rights} own={ownAccounts(person)} open={path[1]} onOpen={openUser} />,
        });
    }
    if (person.rights.root) {
        parts.push({ key: "settings", title: _("Settings"), content: <Settings /> });
    }
    parts.push({ key: "account", title: _("My Account"), content: <Account /> });
    const active = parts.find((p) => p.key === path[0]) ?? parts[0];
    return (
        <PageSection type="tabs" variant={PageSectionVariants.light} padding={{ default: "noPadding" }}>
            <Tabs activeKey={active?.key ?? ""} onSelect={(_event, key) => cockpit.location.go([String(key)])} mountOnEnter unmountOnExit aria-label={_("Parts of the page")}>
                {parts.map((p) => (
                    <Tab key={p.key} eventKey={p.key} title={<TabTitleText>{p.title}</TabTitleText>}>
                        <PageSection>{p.content}</PageSection>
                    </Tab>
                ))}
            </Tabs>
        </PageSection>
    );
}

/** The person's account and, where Cockpit acts as root for it, root's: as "sallyportctl disable --all" leaves alone. */
function ownAccounts(person: Person): string[] {
    return person.rights.root && person.name !== "root" ? [person.name, "root"] : [person.name];
}
