import type { Strategy } from '../resource.ts';

export const serviceStrategy = (): Omit<Strategy, 'nameFault'> => ({});
