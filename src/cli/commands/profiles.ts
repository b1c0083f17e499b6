import { type ProfileRow, profilesTable } from '../../report/profilesTable.ts';
import { profiles } from '../../train/profiles.ts';
import { publishedRecipes } from '../../train/publishedRecipes.ts';
import { settingsFrom } from '../../train/trainingSettings.ts';
import type { RegisterCommand } from '../context.ts';

/** Lists what `train --profile` takes. */
export const profileList: RegisterCommand = (command, context) => {
  command.action(() => {
    const rows = Object.entries(profiles).map(([name, given]): ProfileRow => {
      const published = publishedRecipes[name]?.accuracy;
      return { name, settings: settingsFrom(given), ...(published && { published }) };
    });
    context.print(profilesTable(rows).join('\n'));
  });
};
