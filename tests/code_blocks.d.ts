// Types of the modules that TypeScript blocks of the documents import, as far as the blocks use them.

declare const process: { env: Record<string, string | undefined> };
declare const Buffer: { from(text: string): { toString(): string } };

declare module '@aws-sdk/client-eventbridge' {
  interface Entry { EventBusName?: string; Source?: string; DetailType?: string; Detail?: string }
  interface Result { Entries?: { EventId?: string; ErrorCode?: string; ErrorMessage?: string }[] }
  export class PutEventsCommand { constructor(input: { Entries: Entry[] }) }
  export class EventBridgeClient { constructor(config: object); send(command: PutEventsCommand): Promise<Result> }
}

declare module 'amqplib' {
  interface Message { content: { toString(): string }; fields: { routingKey: string } }
  interface Channel {
    assertQueue(queue: string, options: { durable: boolean }): Promise<object>;
    bindQueue(queue: string, exchange: string, pattern: string): Promise<object>;
    prefetch(count: number): Promise<object>;
    consume(queue: string, handle: (message: Message | null) => void): Promise<object>;
    ack(message: Message): void;
    nack(message: Message): void;
  }
  export function connect(url: string): Promise<{ createChannel(): Promise<Channel> }>;
}

declare module 'aws4fetch' {
  interface Options {
    accessKeyId: string; secretAccessKey: string; sessionToken?: string; region?: string; service?: string;
  }
  export class AwsClient { constructor(options: Options); fetch(url: string, init: RequestInit): Promise<Response> }
}

declare module '@nestjs/common' {
  export function Injectable(): ClassDecorator;
  export class Logger { constructor(context: string); error(message: string, error?: unknown): void }
  export interface OnModuleInit { onModuleInit(): void }
}

declare module '@nestjs/event-emitter' {
  export class EventEmitter2 { onAny(listen: (name: string | string[], payload: any) => void): this }
}
