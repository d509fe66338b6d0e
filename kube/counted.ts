import { ApiError, type Call, type Transport } from './transport.ts';

/** How a call ended: with an answer, with the API server's refusal, or without either. */
export type CallOutcome = 'Answered' | 'Refused' | 'Failed';

/** The same transport, which tells of every call how it ended; of watches nothing. */
export function counted(
  transport: Transport,
  note: (method: Call['method'], outcome: CallOutcome) => void,
): Transport {
  return {
    lines: (call, idleMs, signal) => transport.lines(call, idleMs, signal),
    close: () => transport.close(),
    call: async <T>(call: Call, signal?: AbortSignal): Promise<T> => {
      try {
        const answer = await transport.call<T>(call, signal);
        note(call.method, 'Answered');
        return answer;
      } catch (error) {
        note(call.method, error instanceof ApiError ? 'Refused' : 'Failed');
        throw error;
      }
    },
  };
}
