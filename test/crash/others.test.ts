import { pointsInSource } from './points.ts';
import { testDeathsAt } from './stage.ts';

testDeathsAt((await pointsInSource()).filter(({ service }) => service !== 'projectors'));
