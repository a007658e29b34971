/** Questions and answers as the VQA evaluation cleans them before it compares. */

const questionMarks = /[.!"()*#:;~]/g
const longestQuestion = 50 // words

/** Lower case, some marks deleted, no spaces at the end, the first 50 words. */
export function cleanQuestion (question: string): string {
  return question
    .toLowerCase()
    .replace(questionMarks, '')
    .replace(/ +$/, '')
    .split(' ')
    .slice(0, longestQuestion)
    .join(' ')
}

const marks = [';', '/', '[', ']', '"', '{', '}', '(', ')', '=', '+', '\\', '_', '-', '>', '<', '@', '`', ',', '?', '!']
const numbers = new Map(
  ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'].map((word, i) => [
    word,
    String(i)
  ])
)
numbers.set('none', '0')
const articles = new Set(['a', 'an', 'the'])

/** Marks, case, number words, articles and lost apostrophes, as the official VQA v2 evaluation treats them. */
export function normaliseAnswer (answer: string): string {
  const text = answer.replace(/[\n\t]/g, ' ').trim()
  return stripMarks(text)
    .toLowerCase()
    .split(/\s+/)
    .map(word => numbers.get(word) ?? word)
    .filter(word => word !== '' && !articles.has(word))
    .map(word => contractions.get(word) ?? word)
    .join(' ')
}

/** A mark beside a space goes, and so do all where a comma stands between digits; elsewhere it parts two words. */
function stripMarks (answer: string): string {
  const hasDigitComma = /\d,\d/.test(answer)
  let text = answer
  for (const mark of marks) {
    const isLoose = hasDigitComma || answer.includes(`${mark} `) || answer.includes(` ${mark}`)
    text = text.replaceAll(mark, isLoose ? '' : ' ')
  }
  return text.replace(/\.(?!\d)/g, '')
}

const unknown = ["i don't know", "i do n't know", 'i need to know']
const openings = [
  "it's",
  'it is',
  'this is',
  'that is',
  "she's",
  "she 's",
  'she is',
  "he's",
  "he 's",
  'he is',
  'they are',
  "they're",
  'very',
  'for',
  'to',
  'in',
  'on',
  'at',
  'a',
  'an',
  'the'
]

/**
 * What LaVIT's evaluation does to a normalised prediction: a missing or evasive one is `unanswerable`, `nope` is `no`,
 * and of an answer with a known opening it keeps what follows the last place where the opening's letters stand.
 */
export function stripOpenings (prediction: string): string {
  if (prediction === '' || unknown.some(opening => prediction.startsWith(opening))) return 'unanswerable'
  let answer = prediction
    .split(' ')
    .map(word => (word === 'nope' ? 'no' : word))
    .join(' ')
  for (const opening of openings) {
    if (answer.startsWith(`${opening} `)) answer = answer.split(`${opening} `).at(-1)!
  }
  return answer
}

// Each stands also for itself with one of its apostrophes lost.
const contracted =
  `ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd
  he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am might've mightn't mightn't've must've mustn't
  needn't not've o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've
  somebody'll somebody's someone'd someone'd've someone'll someone's something'd something'd've something'll
  that's there'd there'd've there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've
  we've weren't what'll what're what's what've when's where'd where's where've who'd who'd've who'll who's
  who've why'll why're why's won't would've wouldn't wouldn't've y'all y'all'd've y'all'll you'd you'd've
  you'll you're you've`.split(/\s+/)

const contractions = new Map(
  contracted.flatMap(word =>
    [...word.matchAll(/'/g)].map(({ index }) => [word.slice(0, index) + word.slice(index + 1), word] as const)
  )
)
contractions.set("somebody'd", 'somebodyd') // the official table has this one the other way round
