import { answer, levels, type AnswerRules, type Level } from '@flowers/shared/model/calibration'
import { argmax } from '@flowers/shared/model/views'
import type { MeasuredShare } from './bootstrap.ts'
import type { PolicyAnswer } from './calibrate.ts'
import { shareOf } from './share-by-species.ts'

/** How many answers have a level, and how many of these are right; null where none has it. */
export interface LevelQuality {
  readonly share: MeasuredShare
  readonly accuracy: MeasuredShare | null
}

/** Answers by their level; at least one answer. */
export function levelsOf(answers: readonly PolicyAnswer[], rules: AnswerRules): Record<Level, LevelQuality> {
  const levelOf = answers.map(({ mean, used, known = null }) => answer({ mean, used, known }, rules, 1).level)
  const qualityOf = (level: Level): LevelQuality => {
    const own = answers.filter((_, place) => levelOf[place] === level)
    return {
      share: shareOf(levelOf.map((each) => each === level)),
      accuracy: own.length === 0 ? null : shareOf(own.map(({ mean, label }) => argmax(mean) === label)),
    }
  }
  return Object.fromEntries(levels.map((level) => [level, qualityOf(level)])) as Record<Level, LevelQuality>
}
