import {
  DeviceError,
  GraphError,
  InputError,
  TrainingError,
  UsageError,
  UserError,
} from '../../../errors.ts';

/** An error as data: the structured clone keeps neither classes of our own nor their fields. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly where?: string;
  readonly fix?: string;
  readonly layer?: string;
  readonly stack?: string;
}

/** What arrives as the class it was; anything else arrives as an Error of that name. */
const classes: Readonly<Record<string, new (message: string) => Error>> = {
  UsageError,
  InputError,
  DeviceError,
  TrainingError,
  GraphError,
  RangeError,
  TypeError,
};

/** Whatever was thrown, as data that can be sent. */
export function sendable(thrown: unknown): SentError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown) };
  const { name, message, stack } = thrown;
  const { where, fix } = thrown instanceof UserError ? thrown : {};
  const { layer } = thrown instanceof GraphError ? thrown : {};
  return {
    name,
    message,
    ...(where !== undefined && { where }),
    ...(fix !== undefined && { fix }),
    ...(layer !== undefined && { layer }),
    ...(stack !== undefined && { stack }),
  };
}

/** The error that was sent, with the stack of where it was thrown. */
export function received({ name, message, where, fix, layer, stack }: SentError): Error {
  if (!Object.hasOwn(classes, name)) return Object.assign(new Error(message), { name, stack });
  // The message is already the whole sentence, so its parts are put beside it afterwards.
  const error: Error = new classes[name](message);
  if (error instanceof UserError) Object.assign(error, { where, fix });
  if (error instanceof GraphError) Object.assign(error, { layer });
  Object.assign(error, { stack });
  return error;
}
