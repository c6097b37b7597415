import type { Backdrop } from './backdrops.ts'
import type { LeafShape } from './leaves.ts'
import type { PetalShape } from './petals.ts'
import { hsl, type Colour, type Range } from './svg.ts'

/** One wreath of petals. */
export interface Wreath {
  readonly petals: Range
  readonly shape: PetalShape
  /** Of the bloom's radius. */
  readonly length: Range
  /** Half of a petal's width, of its length. */
  readonly half: Range
  /** Added to the lightness of the petals. */
  readonly lightness?: number
}

export type Centre =
  | { readonly kind: 'disc'; readonly radius: Range; readonly colour: Colour; readonly rim: Colour }
  | {
      readonly kind: 'stamens'
      readonly radius: Range
      readonly colour: Colour
      readonly count: Range
      readonly heart: Colour
    }
  | { readonly kind: 'trumpet'; readonly radius: Range; readonly colour: Colour }
  | { readonly kind: 'column'; readonly radius: Range; readonly colour: Colour }
  | { readonly kind: 'whorl'; readonly radius: Range }

/** A flower seen from the front. */
export interface Radial {
  readonly form: 'radial'
  /** From the outermost to the innermost. */
  readonly wreaths: readonly Wreath[]
  readonly centre: Centre
  /** Around the centre, as a colour and the share of the radius it covers. */
  readonly throat?: { readonly colour: Colour; readonly reach: number }
  /** Lines from the throat along each petal. */
  readonly veins?: Colour
  /** Petals of a violet: not alike, the lowest is the largest. */
  readonly mirrored?: true
}

/** A flower seen from the side. */
export interface Sideways {
  readonly form: 'cup' | 'bells' | 'spike' | 'nodding'
  /** Cup: petals; bells, spike: blossoms; nodding: petals. */
  readonly parts: Range
}

export interface Species {
  readonly name: string
  readonly bloom: Radial | Sideways
  /** Colours of the petals; one is chosen for a picture, and varied. */
  readonly colours: readonly Colour[]
  readonly habit: Habit
}

/** How large a flower is, how many stand together, and among what. */
export interface Habit {
  /** Of the largest bloom, in hundredths of the picture. */
  readonly radius: Range
  /** Blooms in focus. */
  readonly blooms: Range
  readonly leaf: LeafShape
  readonly leafColour: Colour
  /** Where it usually grows. */
  readonly backdrops: readonly Backdrop[]
}

/** The flowers that are drawn. They borrow names and looks from nature, without claiming to be botany. */
export const species: readonly Species[] = [
  {
    name: 'daisy',
    bloom: {
      form: 'radial',
      wreaths: [
        { petals: [15, 21], shape: 'strap', length: [0.92, 1], half: [0.09, 0.12] },
        { petals: [12, 16], shape: 'strap', length: [0.82, 0.92], half: [0.09, 0.11], lightness: 3 },
      ],
      centre: { kind: 'disc', radius: [0.27, 0.34], colour: [48, 95, 55], rim: [35, 90, 45] },
    },
    colours: [hsl(60, 12, 95), hsl(50, 20, 92), hsl(330, 45, 92)],
    habit: { radius: [22, 36], blooms: [1, 4], leaf: 'lance', leafColour: [105, 40, 32], backdrops: ['meadow'] },
  },
  {
    name: 'sunflower',
    bloom: {
      form: 'radial',
      wreaths: [
        { petals: [20, 26], shape: 'lance', length: [0.95, 1], half: [0.14, 0.18], lightness: -6 },
        { petals: [18, 24], shape: 'lance', length: [0.85, 0.93], half: [0.13, 0.17] },
      ],
      centre: { kind: 'disc', radius: [0.42, 0.52], colour: [25, 55, 18], rim: [32, 70, 30] },
    },
    colours: [hsl(46, 98, 54), hsl(40, 97, 52)],
    habit: { radius: [30, 44], blooms: [1, 2], leaf: 'heart', leafColour: [95, 45, 30], backdrops: ['sky', 'field'] },
  },
  {
    name: 'rose',
    bloom: {
      form: 'radial',
      wreaths: [
        { petals: [6, 8], shape: 'round', length: [0.95, 1], half: [0.42, 0.52], lightness: -4 },
        { petals: [5, 7], shape: 'round', length: [0.76, 0.84], half: [0.46, 0.56] },
        { petals: [5, 6], shape: 'round', length: [0.56, 0.64], half: [0.5, 0.6], lightness: 3 },
        { petals: [4, 5], shape: 'round', length: [0.38, 0.46], half: [0.5, 0.62], lightness: -3 },
      ],
      centre: { kind: 'whorl', radius: [0.24, 0.3] },
    },
    colours: [hsl(350, 75, 45), hsl(342, 60, 66), hsl(48, 80, 72), hsl(25, 75, 72), hsl(345, 25, 92)],
    habit: { radius: [24, 38], blooms: [1, 2], leaf: 'oval', leafColour: [125, 40, 24], backdrops: ['hedge', 'wall'] },
  },
  {
    name: 'tulip',
    bloom: { form: 'cup', parts: [3, 5] },
    colours: [hsl(355, 80, 50), hsl(48, 95, 58), hsl(300, 45, 42), hsl(335, 75, 70), hsl(20, 90, 58)],
    habit: { radius: [20, 30], blooms: [1, 4], leaf: 'blade', leafColour: [130, 28, 40], backdrops: ['soil', 'field'] },
  },
  {
    name: 'poppy',
    bloom: {
      form: 'radial',
      wreaths: [
        { petals: [2, 2], shape: 'crumpled', length: [0.95, 1], half: [0.82, 0.95], lightness: -4 },
        { petals: [2, 2], shape: 'crumpled', length: [0.88, 0.95], half: [0.75, 0.88] },
      ],
      centre: { kind: 'stamens', radius: [0.3, 0.38], colour: [280, 25, 12], count: [26, 36], heart: [90, 25, 45] },
      throat: { colour: [340, 60, 16], reach: 0.3 },
    },
    colours: [hsl(8, 92, 52), hsl(2, 88, 48), hsl(20, 92, 56)],
    habit: {
      radius: [24, 38],
      blooms: [1, 3],
      leaf: 'feather',
      leafColour: [110, 30, 36],
      backdrops: ['wheat', 'meadow'],
    },
  },
  {
    name: 'cornflower',
    bloom: {
      form: 'radial',
      wreaths: [
        { petals: [9, 12], shape: 'toothed', length: [0.92, 1], half: [0.24, 0.3] },
        { petals: [8, 10], shape: 'toothed', length: [0.5, 0.6], half: [0.26, 0.34], lightness: -8 },
      ],
      centre: { kind: 'stamens', radius: [0.28, 0.36], colour: [285, 55, 35], count: [12, 18], heart: [275, 60, 25] },
    },
    colours: [hsl(225, 80, 55), hsl(218, 82, 60), hsl(235, 70, 50)],
    habit: { radius: [22, 34], blooms: [1, 4], leaf: 'blade', leafColour: [120, 15, 45], backdrops: ['wheat'] },
  },
  {
    name: 'buttercup',
    bloom: {
      form: 'radial',
      wreaths: [{ petals: [5, 5], shape: 'round', length: [0.93, 1], half: [0.44, 0.54] }],
      centre: { kind: 'stamens', radius: [0.32, 0.4], colour: [50, 90, 45], count: [22, 30], heart: [75, 65, 42] },
    },
    colours: [hsl(54, 98, 52), hsl(50, 96, 50)],
    habit: {
      radius: [17, 28],
      blooms: [2, 5],
      leaf: 'feather',
      leafColour: [100, 50, 32],
      backdrops: ['meadow', 'brook'],
    },
  },
  {
    name: 'violet',
    bloom: {
      form: 'radial',
      wreaths: [{ petals: [5, 5], shape: 'round', length: [0.92, 1], half: [0.44, 0.52] }],
      centre: { kind: 'disc', radius: [0.08, 0.11], colour: [48, 95, 58], rim: [40, 90, 50] },
      throat: { colour: [50, 60, 88], reach: 0.34 },
      veins: [275, 60, 18],
      mirrored: true,
    },
    colours: [hsl(270, 62, 42), hsl(280, 55, 50), hsl(258, 60, 48)],
    habit: { radius: [18, 29], blooms: [1, 4], leaf: 'heart', leafColour: [120, 45, 26], backdrops: ['woodland'] },
  },
  {
    name: 'water-lily',
    bloom: {
      form: 'radial',
      wreaths: [
        { petals: [9, 11], shape: 'lance', length: [0.95, 1], half: [0.24, 0.29], lightness: -5 },
        { petals: [8, 10], shape: 'lance', length: [0.74, 0.82], half: [0.25, 0.3] },
        { petals: [7, 9], shape: 'lance', length: [0.5, 0.6], half: [0.27, 0.33], lightness: 4 },
      ],
      centre: { kind: 'stamens', radius: [0.26, 0.32], colour: [45, 92, 55], count: [20, 28], heart: [45, 90, 50] },
    },
    colours: [hsl(330, 60, 82), hsl(320, 15, 95), hsl(335, 65, 70)],
    habit: { radius: [24, 38], blooms: [1, 2], leaf: 'pad', leafColour: [115, 40, 32], backdrops: ['pond'] },
  },
  {
    name: 'bluebell',
    bloom: { form: 'bells', parts: [6, 9] },
    colours: [hsl(238, 60, 60), hsl(248, 55, 62), hsl(228, 62, 64)],
    habit: { radius: [36, 44], blooms: [1, 3], leaf: 'blade', leafColour: [115, 42, 32], backdrops: ['woodland'] },
  },
  {
    name: 'snowdrop',
    bloom: { form: 'nodding', parts: [3, 3] },
    colours: [hsl(90, 10, 97), hsl(60, 8, 95)],
    habit: { radius: [22, 32], blooms: [1, 3], leaf: 'blade', leafColour: [130, 22, 42], backdrops: ['snow', 'soil'] },
  },
  {
    name: 'daffodil',
    bloom: {
      form: 'radial',
      wreaths: [
        { petals: [3, 3], shape: 'lance', length: [0.95, 1], half: [0.36, 0.44], lightness: -4 },
        { petals: [3, 3], shape: 'lance', length: [0.92, 0.98], half: [0.34, 0.42] },
      ],
      centre: { kind: 'trumpet', radius: [0.34, 0.42], colour: [34, 96, 52] },
    },
    colours: [hsl(55, 92, 62), hsl(54, 60, 86), hsl(60, 20, 95)],
    habit: { radius: [22, 36], blooms: [1, 3], leaf: 'blade', leafColour: [125, 35, 36], backdrops: ['brook', 'soil'] },
  },
  {
    name: 'hibiscus',
    bloom: {
      form: 'radial',
      wreaths: [{ petals: [5, 5], shape: 'crumpled', length: [0.95, 1], half: [0.54, 0.64] }],
      centre: { kind: 'column', radius: [0.62, 0.78], colour: [50, 90, 62] },
      throat: { colour: [345, 85, 24], reach: 0.42 },
      veins: [345, 60, 40],
    },
    colours: [hsl(345, 82, 60), hsl(355, 85, 52), hsl(25, 90, 62), hsl(330, 60, 80)],
    habit: { radius: [30, 44], blooms: [1, 2], leaf: 'oval', leafColour: [130, 48, 22], backdrops: ['hedge', 'sky'] },
  },
  {
    name: 'lavender',
    bloom: { form: 'spike', parts: [16, 24] },
    colours: [hsl(268, 45, 58), hsl(260, 42, 52), hsl(278, 40, 62)],
    habit: {
      radius: [36, 46],
      blooms: [2, 6],
      leaf: 'blade',
      leafColour: [110, 14, 48],
      backdrops: ['stones', 'field'],
    },
  },
  {
    name: 'cherry',
    bloom: {
      form: 'radial',
      wreaths: [{ petals: [5, 5], shape: 'notched', length: [0.93, 1], half: [0.4, 0.48] }],
      centre: { kind: 'stamens', radius: [0.45, 0.55], colour: [45, 70, 60], count: [12, 18], heart: [340, 65, 52] },
      throat: { colour: [338, 60, 68], reach: 0.35 },
    },
    colours: [hsl(340, 70, 88), hsl(345, 40, 94), hsl(335, 72, 82)],
    habit: { radius: [15, 24], blooms: [3, 6], leaf: 'oval', leafColour: [85, 40, 38], backdrops: ['sky', 'branches'] },
  },
  {
    name: 'dahlia',
    bloom: {
      form: 'radial',
      wreaths: [
        { petals: [16, 19], shape: 'lance', length: [0.96, 1], half: [0.15, 0.19], lightness: -6 },
        { petals: [15, 17], shape: 'lance', length: [0.78, 0.84], half: [0.17, 0.21], lightness: -2 },
        { petals: [12, 15], shape: 'lance', length: [0.6, 0.66], half: [0.19, 0.24], lightness: 2 },
        { petals: [10, 12], shape: 'lance', length: [0.4, 0.46], half: [0.22, 0.28], lightness: 5 },
        { petals: [7, 9], shape: 'lance', length: [0.22, 0.27], half: [0.26, 0.32], lightness: -6 },
      ],
      centre: { kind: 'whorl', radius: [0.08, 0.11] },
    },
    colours: [hsl(320, 75, 48), hsl(350, 82, 46), hsl(285, 50, 52), hsl(28, 92, 58)],
    habit: { radius: [26, 42], blooms: [1, 2], leaf: 'oval', leafColour: [115, 38, 28], backdrops: ['hedge', 'wall'] },
  },
]
