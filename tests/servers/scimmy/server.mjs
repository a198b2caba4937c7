// SCIMMY behind Express, with the users and groups of a JSON file; prints its port: node server.mjs <file> <token>
import { readFileSync } from "node:fs";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const [, , file, token] = process.argv;
const stored = JSON.parse(readFileSync(file, "utf8"));

function declare(type, rows) {
  SCIMMY.Resources.declare(type)
    .ingress((resource, data) => {
      const row = rows.find(({ id }) => id === resource.id);
      return row ? Object.assign(row, data, { id: row.id }) : rows[rows.push({ ...data, id: `new-${rows.length}` }) - 1];
    })
    .egress((resource) => {
      if (!resource.id) return rows;
      const row = rows.find(({ id }) => id === resource.id);
      if (!row) throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
      return row;
    })
    .degress((resource) => {
      rows.splice(rows.findIndex(({ id }) => id === resource.id), 1);
    });
}

declare(SCIMMY.Resources.User, stored.users);
declare(SCIMMY.Resources.Group, stored.groups);

const app = express();
app.use(
  "/scim/v2",
  new SCIMMYRouters({
    type: "bearer",
    handler: (request) => {
      if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("unknown token");
      return "scanner";
    },
  }),
);
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
