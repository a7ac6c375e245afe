// Texts that the build puts into the bundle.

declare module "realm-source" {
  const text: string;
  export default text;
}

declare module "provided-source" {
  const text: string;
  export default text;
}

declare module "browser-source" {
  const text: string;
  export default text;
}
