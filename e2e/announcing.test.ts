import { describeAnnouncing } from './announcing/suite.ts';
import { openIdle, wantedApi } from './lab/serving.ts';

describeAnnouncing(wantedApi(), () => openIdle());
