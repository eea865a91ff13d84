/** Types that several modules share; only the type checker reads this file. */

export interface ApiDescription {
  name: string;
  title: string;
  version: string;
  basePath: string;
  contract: string;
}

export interface ConsoleDescription {
  version: string;
  prefix: string;
  apis: ApiDescription[];
  signIn: { required: boolean; issuer: string | null; clientId: string | null };
}

/** A JSON schema of a contract, as written or with its `allOf` merged. */
export interface Schema {
  $ref?: string;
  allOf?: Schema[];
  type?: string;
  format?: string;
  description?: string;
  enum?: string[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  readOnly?: boolean;
  nullable?: boolean;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxLength?: number;
  pattern?: string;
  default?: any;
  "x-lifecycle"?: { initial: string; transitions: Record<string, string[]> };
  "x-merge-key"?: string;
  "x-default"?: any;
  "x-versioned"?: string;
  "x-index"?: (string | string[])[];
  "x-events"?: Record<string, any>;
  [extension: string]: any;
}

/** An object type with its `allOf` merged: every member with its own merged schema, read when asked for. */
export interface ObjectType {
  name: string;
  description: string;
  required: Set<string>;
  members: Map<string, Schema>;
}

export interface Lifecycle {
  member: string;
  states: string[];
  initial: string;
  transitions: Record<string, string[]>;
}

export interface Resource {
  api: Api;
  /** The schema, such as SalesLead. */
  name: string;
  /** The last segment of its path, such as salesLead. */
  noun: string;
  title: string;
  plural: string;
  /** The URL path of its collection, with the prefix. */
  url: string;
  type: ObjectType;
  createType: ObjectType | null;
  updateType: ObjectType | null;
  lifecycle: Lifecycle | null;
  versionMember: string | null;
  operations: Record<string, any>;
  indexes: string[];
  events: string[];
}

export interface Api extends ApiDescription {
  contract: string;
  document: any;
  resources: Resource[];
}

export interface Recorded {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string;
  status?: number;
  milliseconds?: number;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: any;
}

export interface App {
  description: ConsoleDescription;
  apis: Api[];
  api(name: string): Api | undefined;
  resource(api: string, noun: string): Resource | undefined;
}

export interface ScreenProps {
  app: App;
  /** What the route's pattern matched. */
  params: Record<string, string>;
  /** The query string of the address, undecoded, without the question mark. */
  query: string;
}

export interface Screen {
  /** Segments below /console; `:name` matches one segment. */
  pattern: string;
  load: () => Promise<{ default: (props: ScreenProps) => any }>;
}

export interface NavigationLink {
  title: string;
  path: string;
  /** The URL of a collection whose total is shown. */
  count?: string;
}
