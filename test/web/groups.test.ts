import { expect, test } from "@jest/globals";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup } from "../support/scenes.ts";
import { gone, type WebPage } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Groups in the browser: making one, and what each role may change. */

describeWithChromium("a group in the web client", () => {
  const people = useWebPeople();

  /** A group of Olga, who owns it, and Mike, both in the browser. */
  async function group(name: string) {
    const olga = await people.person("Olga");
    const mike = await people.person("Mike");
    const device = await olga.user.connect();
    const id = await createGroup(device, [mike.user], name);
    await olga.web.openChat(name);
    await mike.web.openChat(name);
    return { id, device, olga: olga.web, mike: mike.web, mikeUser: mike.user };
  }

  const openInfo = async (web: WebPage) => {
    await web.button("Group info").click();
    await web.dialog("Group info").waitFor();
  };
  const member = (web: WebPage, name: string) =>
    web.dialog("Group info").getByRole("listitem").filter({ hasText: name });
  const actOn = async (web: WebPage, name: string, action: string) => {
    await member(web, name).getByRole("button", { name: "Member actions" }).click();
    await web.page.getByRole("menuitem", { name: action }).click();
  };

  test("a group is created with members, who find it in their list", async () => {
    const { web } = await people.person("Maker");
    const { web: guest } = await people.person("Wilhelmina");
    await web.button("New chat").click();
    const dialog = web.dialog("New chat");
    await dialog.getByRole("button", { name: "New group" }).click();
    await dialog.getByRole("button", { name: "Create group" }).click();
    await dialog.getByRole("alert").filter({ hasText: "Give the group a name." }).waitFor();
    await dialog.getByRole("textbox", { name: "Group name" }).fill("Hiking club");
    await dialog.getByRole("searchbox", { name: "Find people" }).fill("Wilhelm");
    await dialog.getByRole("button", { name: /^Wilhelmina/ }).click();
    await dialog.getByRole("button", { name: "Create group" }).dblclick();
    await web.log("Hiking club").waitFor();
    await web.page.getByRole("heading", { name: "Hiking club" }).waitFor();
    await web.page.getByText("2 members").waitFor();
    await guest.openChat("Hiking club");
    await guest.send("Hello all");
    await web.message("Hello all").filter({ hasText: "Wilhelmina" }).waitFor();
    expect(await web.chat("Hiking club").count()).toBe(1);
  });

  test("the owner renames it and adds people", async () => {
    const { olga, mike } = await group("Old name");
    const { web: nora } = await people.person("Nora");
    await openInfo(olga);
    const info = olga.dialog("Group info");
    await info.getByRole("button", { name: "Rename" }).click();
    await info.getByRole("textbox", { name: "Group name" }).fill("  ");
    await info.getByRole("button", { name: "Save" }).click();
    await info.getByRole("alert").waitFor();
    expect(await info.getByRole("alert").textContent()).not.toMatch(/"|[A-Z]{3,}/);
    await info.getByRole("textbox", { name: "Group name" }).fill("New name");
    await info.getByRole("button", { name: "Save" }).click();
    await mike.page.getByRole("heading", { name: "New name" }).waitFor();
    await info.getByRole("button", { name: "Add people" }).click();
    await info.getByRole("searchbox", { name: "Find people" }).fill("Nora");
    await info.getByRole("button", { name: /^Nora/ }).click();
    await olga.alert.filter({ hasText: "Nora was added." }).waitFor();
    await nora.chat("New name").waitFor();
    await mike.page.getByText("3 members").waitFor();
  });

  test("the owner makes an admin, who may then remove members, and hands over the group", async () => {
    const { olga, mike, id, device } = await group("Roles");
    const { user: pat, web: patWeb } = await people.person("Pat");
    await device.request("addUserInGroup", { groupId: id, userId: pat.id });
    await openInfo(mike);
    await member(mike, "Pat").waitFor();
    expect(await mike.button("Rename").count()).toBe(0);
    expect(await mike.button("Delete group").count()).toBe(0);
    await member(mike, "Pat").getByRole("button", { name: "Member actions" }).click();
    expect(await mike.page.getByRole("menuitem").allTextContents()).toEqual(["Send a message"]);
    await mike.page.keyboard.press("Escape");

    await openInfo(olga);
    await actOn(olga, "Mike", "Make admin");
    await member(mike, "Mike").getByText("Admin").waitFor();
    await actOn(mike, "Pat", "Remove from group");
    await mike.confirm("Remove");
    await gone(member(mike, "Pat"));
    await gone(patWeb.chat("Roles"));

    await actOn(olga, "Mike", "Make owner");
    await olga.confirm("Make owner");
    await member(olga, "Mike").getByText("Owner").waitFor();
    await mike.button("Delete group").waitFor();
    await gone(olga.button("Delete group"));
  });

  test("a member leaves, and the open chat closes", async () => {
    const { olga, mike } = await group("Leaving");
    await openInfo(mike);
    await mike.button("Leave group").click();
    await mike.confirm("Leave group");
    await gone(mike.chat("Leaving"));
    await olga.message(/Mike .*left/).waitFor();
    await mike.page.waitForURL((url) => url.pathname === "/");
  });

  test("the owner deletes the group, which disappears for everybody", async () => {
    const { olga, mike } = await group("Ending");
    await openInfo(olga);
    await olga.button("Delete group").click();
    await olga.confirm("Delete group");
    await gone(olga.chat("Ending"));
    await gone(mike.chat("Ending"));
    await mike.page.getByText("This chat does not exist, or you are no longer in it.").waitFor();
  });

  test("a chat from which one is removed while writing says so", async () => {
    const { mike, device, id, mikeUser } = await group("Removal");
    await mike.composer.fill("a long text");
    await device.request("removeUserFromGroup", { groupId: id, userId: mikeUser.id });
    await gone(mike.chat("Removal"));
    await mike.page.getByText("This chat does not exist, or you are no longer in it.").waitFor();
  });

  test("who is typing is named", async () => {
    const { olga, mike } = await group("Typists");
    await mike.composer.pressSequentially("hm");
    await olga.page.getByText("Mike is typing…").waitFor();
  });
});
