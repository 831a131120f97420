import { expect, test } from "@jest/globals";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup, sendPrivately, sendToGroup } from "../support/scenes.ts";
import { gone } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Messages that are forwarded from one chat to another. */

describeWithChromium("forwarding in the web client", () => {
  const people = useWebPeople();

  test("a message goes to a chat of the list, and to a person without a chat, with the name of its author", async () => {
    const ann = await people.person("Ann");
    const bob = await people.person("Bob");
    const cid = await people.person("Cid");
    const bobsDevice = await bob.user.connect();
    await sendPrivately(await ann.user.connect(), bob.user.id, "The recipe");
    const groupId = await createGroup(bobsDevice, [cid.user], "Bakers");
    await bob.web.openChat("Ann");
    await bob.web.act("The recipe", "Forward");
    const dialog = bob.web.dialog("Forward to");
    await dialog.getByRole("searchbox", { name: "Find a chat or a person" }).fill("bak");
    await dialog.getByRole("button", { name: "Bakers" }).click();
    await gone(dialog);
    await bob.web.log("Bakers").waitFor();
    await bob.web.message("The recipe").getByText("Forwarded from Ann").waitFor();

    await cid.web.openChat("Bakers");
    await cid.web.message("The recipe").getByText("Forwarded from Ann").waitFor();
    // Forwarded again, it still names Ann.
    await cid.web.act("The recipe", "Forward");
    const search = cid.web.dialog("Forward to").getByRole("searchbox");
    await search.fill("Ann");
    await cid.web.dialog("Forward to").getByRole("button", { name: "Ann" }).click();
    await cid.web.log("Ann").waitFor();
    await ann.web.openChat("Cid");
    await ann.web.message("The recipe").getByText("Forwarded from Ann").waitFor();
    await sendToGroup(bobsDevice, groupId, "the end");
  });

  test("a forwarded message can be deleted, and not edited", async () => {
    const ann = await people.person("Ann");
    const bob = await people.person("Bob");
    const { messageId } = await sendPrivately(await ann.user.connect(), bob.user.id, "Mine");
    const device = await bob.user.connect();
    await device.request("forwardMessage", { messageId, receiverId: bob.user.id });
    await bob.web.openChat("Bob");
    await bob.web.message("Mine").hover();
    await bob.web.message("Mine").getByRole("button", { name: "Message actions" }).click();
    await bob.web.page.getByRole("menuitem", { name: "Delete", exact: true }).waitFor();
    expect(await bob.web.page.getByRole("menuitem", { name: "Edit", exact: true }).count()).toBe(0);
    await bob.web.page.getByRole("menuitem", { name: "Delete", exact: true }).click();
    await bob.web.confirm("Delete message");
    await bob.web.message("Message deleted").waitFor();
    expect(await bob.web.message("Message deleted").getByText("Forwarded").count()).toBe(0);
  });
});
