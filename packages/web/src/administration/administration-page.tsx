/** The administration of the server. */
export function AdministrationPage() {
  return null;
}
