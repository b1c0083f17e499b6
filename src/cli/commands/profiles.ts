import { type ProfileRow, profilesTable } from '../../report/training/profilesTable.ts';
import { profiles } from '../../train/settings/profiles.ts';
import { publishedRecipes } from '../../train/settings/publishedRecipes.ts';
import { settingsFrom } from '../../train/settings/trainingSettings.ts';
import type { RegisterCommand } from '../context.ts';

/** Lists what `train --profile` takes. */
export const profileList: RegisterCommand = (command, context) => {
  command.action(() => {
    const rows = Object.entries(profiles).map(([name, given]): ProfileRow => {
      const published = publishedRecipes[name]?.accuracy;
      return { name, settings: settingsFrom(given), ...(published && { published }) };
    });
    context.print(profilesTable(rows, context.columns).join('\n'));
  });
};
