/** A number or a line, such as `"09121111111"` or `3000505`. */
export type PhoneNumber = string | number;

export interface LoginByPassword {
  username: string;
  password: string;
  apiKey?: undefined;
}

export interface LoginByKey {
  /** An API key, instead of user name and password. */
  apiKey: string;
  username?: string;
  password?: string;
}

export interface Request {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** Milliseconds. */
  timeout: number;
}

export interface Response {
  status: number;
  body: string;
  /** Milliseconds. */
  retryAfter?: number;
}

export type ClientOptions = (LoginByPassword | LoginByKey) & {
  /** The line to send from when a send names none. */
  line?: PhoneNumber;
  /** Milliseconds that one attempt may take (10,000). */
  timeout?: number;
  /** Attempts after the first (2). Only what cannot be done twice by it is tried again. */
  retries?: number;
  /** What carries requests, for tests. Throws `NotSent` or `AnswerLost`. */
  transport?: (request: Request) => Promise<Response>;
  /** What waits between attempts, for tests. */
  sleep?: (milliseconds: number) => Promise<void>;
};

export interface SendOptions {
  /** The line to send from. */
  line?: PhoneNumber;
  /** Send later: a `Date`, or `YYYY-MM-DD HH:MM:SS` in Tehran's time. */
  time?: Date | string;
  /** A name for this send: the same name within 24 hours sends nothing and gives the first bulk id. */
  localId?: string;
}

/** State of a recipient. */
export type DeliveryStatus = 'notsync' | 'send' | 'pending' | 'delivered' | 'failed' | 'discarded';

export interface Delivery {
  /** `+98` and ten digits. */
  number: string;
  status: DeliveryStatus;
}

export interface BulkStatus {
  status: 'Finish' | 'Interacting' | 'Active' | 'NoContactWithTheOperator' | 'NoAuthentication' | 'NoSendSMS' | 'Cancel' | (string & {});
  /** `notconfirm`: the text waits for approval. */
  approval: 'approve' | 'notconfirm' | 'cancel' | (string & {});
}

export interface Line {
  number: string;
  canSend: boolean;
  canReceive: boolean;
}

/** A phonebook, a job or a package. */
export interface Entry {
  id: number;
  title: string;
}

/** A postal area: the first digits of its postal codes, and its name. */
export interface Area {
  id: string;
  title: string;
}

export interface Trend {
  id: number;
  title: string;
  jobId?: number;
}

export interface InboundMessage {
  text: string;
  sender: string;
  line: string;
  time: Date;
}

export interface Pattern {
  /** With `%name%` for variables. */
  text: string;
  variables: string[];
}

export interface NewAccount {
  username: string;
  password: string;
  name: string;
  /** One of `packages()`. */
  accessId: number;
  nationalId: string;
  certificateId: string;
  mobile: string;
  telephone: string;
  email: string;
  address: string;
  company?: string;
  postalCode?: string;
}

export interface TicketOptions {
  type?: 'fiscal' | 'webservice' | 'problem' | 'lineservices';
  importance?: 'low' | 'middle' | 'quick' | 'acute';
  notifyBySms?: boolean;
  file?: string;
}

/** Operators of postal sends: MCI and Irancell. */
export type PostalOperator = 'tci' | 'mtn' | (string & {});

/** 0 both, 1 men, 2 women. */
export type Gender = 0 | 1 | 2;

/** A client of one account of a peyk service. Every method rejects with a `PeykError`. */
export class Client {
  /** @param url such as `http://127.0.0.1:8080`; the address that ends in `/services.jspd` does as well */
  constructor(url: string, options: ClientOptions);
  readonly url: string;
  line?: PhoneNumber;
  timeout: number;
  retries: number;

  /** One text to one or many numbers. Gives the bulk id, once the service has it on disk. */
  send(to: PhoneNumber | Iterable<PhoneNumber>, text: string, options?: SendOptions): Promise<number>;
  /** Each number its own text. */
  sendEach(messages: Iterable<readonly [PhoneNumber, string]>, options?: SendOptions): Promise<number>;
  /** The text of a pattern with values for its variables. */
  sendPattern(
    code: string,
    to: PhoneNumber | Iterable<PhoneNumber>,
    values: Record<string, string | number>,
    options?: Omit<SendOptions, 'time'>,
  ): Promise<number>;

  /** Each recipient with its state, in the order sent. An unknown bulk: `ApiError` 456. */
  delivery(bulkId: number): Promise<Delivery[]>;
  /** The state of a whole bulk. */
  check(bulkId: number): Promise<BulkStatus>;
  /** Cancels what has not left yet. Nothing to cancel: `ApiError` 456. */
  cancel(bulkId: number): Promise<void>;

  /** What can be spent, in rials. */
  credit(): Promise<number>;
  lines(): Promise<Line[]>;
  /** When the account ends. */
  expiresAt(): Promise<Date>;

  books(): Promise<Entry[]>;
  /** A page of the phonebooks, from 1. */
  booksPage(page: number): Promise<Entry[]>;
  /** The numbers of a phonebook. */
  contacts(bookId: number): Promise<string[]>;
  /** Adds a number. There already: `ApiError` 101. */
  addContact(bookId: number, number: PhoneNumber, name?: string): Promise<void>;
  sendToBooks(bookIds: Iterable<number>, text: string, options?: SendOptions): Promise<number>;

  /** The unread messages. This call marks them as read, so it is never tried again by itself. */
  inbox(): Promise<InboundMessage[]>;
  patternInfo(code: string): Promise<Pattern>;

  postalAreas(): Promise<Area[]>;
  /** How many numbers live where postal codes begin with `prefix` (2 to 10 digits). */
  postalCount(prefix: string, operator: PostalOperator, gender?: Gender): Promise<number>;
  sendToPostal(
    prefix: string,
    operator: PostalOperator,
    text: string,
    options?: SendOptions & { gender?: Gender },
  ): Promise<number>;
  jobs(): Promise<Entry[]>;
  jobTrends(jobId?: number): Promise<Trend[]>;
  /** How many different numbers are in some trends. */
  jobsCount(trendIds: Iterable<number>): Promise<number>;
  sendToJobs(
    jobId: number,
    trendIds: Iterable<number>,
    text: string,
    options?: SendOptions,
  ): Promise<number>;

  /** The packages that this reseller may hand out. */
  packages(): Promise<Entry[]>;
  /** Opens an account under this reseller. Gives its id. */
  createAccount(account: NewAccount): Promise<number>;
  /** Opens a ticket. Gives its id. */
  createTicket(subject: string, description: string, options?: TicketOptions): Promise<number>;
}

/** Anything that went wrong in a call of the service. */
export class PeykError extends Error {}

/** The service refused. */
export class ApiError extends PeykError {
  constructor(code: number, text?: string);
  /** The number on the wire. */
  readonly code: number;
  /** Its name, such as `InsufficientCredit`; `Unknown` for a code that this version does not know. */
  readonly codeName: string;
  /** The words of the service, mostly Persian. */
  readonly text: string;
}

/** The address of this machine is not on the account's list of addresses. */
export class AddressDenied extends PeykError {}

/** No answer of the service came. */
export class TransportError extends PeykError {
  /** Whether the service may have done what was asked. */
  readonly outcomeUnknown: boolean;
  /** After a send: with this name the same send is safe within 24 hours. */
  readonly localId?: string;
}

/** Something answered, but not in the words of the service: mostly a wrong address. */
export class ProtocolError extends PeykError {
  readonly body: string;
}

/** Thrown by a transport: the request never left. */
export class NotSent extends Error {}

/** Thrown by a transport: the request may have arrived, but its answer did not come. */
export class AnswerLost extends Error {}
