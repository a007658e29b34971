"""The grammar of questions. From models/: `python -m unittest tests.test_frames`."""
import re
import unittest
from unittest import mock

import numpy as np
from tokenizers import Tokenizer

from networks.config import CONCEPTS
from recipe.data.colours import NAMES, main_colour, named
from recipe.data.frames import (
    BEYOND,
    CLOSINGS,
    FRAMES,
    HELD_OUT,
    LIKE,
    OPENINGS,
    ask,
    crossed,
    frame_of,
    plainest,
    scattered,
    slipped,
)
from recipe.data.scenes import GROUND_NAMES, GROUNDS
from recipe.data.wording import FACTUAL, Words

SLOT = re.compile(r'{\w+}')


def frames_of(kind):
    frames = FRAMES[kind.replace(' ', '_')]
    return frames['trained'] + frames['heldout']


class Crossing(unittest.TestCase):
    def setUp(self): self.rng = np.random.default_rng(0)

    def test_a_frame_begins_like_one_and_ends_like_the_other(self):
        self.assertEqual(crossed('can you count the {many} please?', 'how many {many} do you see?', self.rng),
                         'can you count the {many} do you see?')
        one, other = 'are there more {many} than {others} here?', 'do the {many} here outnumber all the {others}?'
        two = {crossed(one, other, self.rng) for _ in range(20)}
        self.assertEqual(two, {'are there more {many} here outnumber all the {others}?',
                               'are there more {many} than {others}?'})

    def test_without_slots_it_is_cut_between_words(self):
        one, other = 'one two three four five six', 'a b c d e f'
        both = crossed(one, other, self.rng).split()
        begun = len(set(both) & set(one.split()))
        self.assertEqual(both, one.split()[:begun] + other.split()[begun:])
        self.assertTrue(0 < begun < 6)

    def test_words_that_stand_for_each_other_are_no_slots(self):
        one, other = 'say, in this {picture}, where is {the}?', 'which place has {the} in the end?'
        self.assertEqual(crossed(one, other, self.rng), 'say, in this {picture}, where is {the} in the end?')

    def test_one_stays_as_it_is_where_slots_differ_or_hardly_a_word_is_left(self):
        for one, other in (('is there {a} in this?', 'do you see the {one} here?'),
                           ('are there more {many} than {others}?', 'do {others} lose to {many} here?'),
                           ('{the} appears at which place?', 'name the place of {the}')):
            self.assertEqual(crossed(one, other, self.rng), one)

    def test_it_is_for_learning_alone_and_makes_no_frame_that_is_held_out(self):
        trained = ['how many {many} do you see?', 'can you count the {many} in this?']
        frames = {'plain': trained[:1], 'trained': trained}
        with (mock.patch.dict(FRAMES, count=frames),
              mock.patch.dict(HELD_OUT, count={plainest('how many {many} in this??')})):
            asked = {manner: {frame_of('count', self.rng, manner) for _ in range(200)}
                     for manner in ('crossed', 'trained')}
        self.assertEqual(asked, {'crossed': {*trained, 'can you count the {many} do you see?'},
                                 'trained': set(trained)})


class Frames(unittest.TestCase):
    def test_every_kind_has_thirty_frames_a_third_of_them_held_out(self):
        for kind, frames in FRAMES.items():
            every = frames['trained'] + frames['heldout']
            self.assertGreaterEqual(len(every), 30, kind)
            self.assertEqual(len(set(every)), len(every), kind)
            self.assertTrue(.3 <= len(frames['heldout']) / len(every) <= .36, kind)
            self.assertEqual(frames['plain'], frames['trained'][:8], kind)

    def test_frames_of_questions_whose_thing_must_be_found_name_no_thing_themselves(self):
        words = Words(CONCEPTS)
        names = {name for c in range(CONCEPTS) for name in (words.labels[c], words.many[c], *words.synonyms[c])}
        mention = re.compile('\\b(' + '|'.join(map(re.escape, names)) + ')\\b')
        around = [word for words in LIKE.values() for word in words]
        around += [text for texts in (*OPENINGS.values(), *CLOSINGS.values()) for text in texts]
        for text in [f for kind in FACTUAL for f in frames_of(kind)] + around:
            self.assertIsNone(mention.search(SLOT.sub('_', text)), text)

    def test_held_out_wording_uses_held_out_frames_alone(self):
        rng = np.random.default_rng(0)
        asked = {re.sub(r'[?!. ]+$', '', ask('unknown', rng, 'heldout', the='_')) for _ in range(300)}
        trained = {SLOT.sub('_', frame).rstrip('?') for frame in FRAMES['unknown']['trained']}
        self.assertFalse(asked & trained)

    def test_held_out_frames_have_none_of_the_slots_for_trained_ones(self):
        taken = {slot.strip('{}') for frames in FRAMES.values() for frame in frames['heldout']
                 for slot in SLOT.findall(frame)}
        self.assertEqual(taken & set(LIKE | BEYOND), {'picture', 'color', 'background', 'things'})

    def test_no_words_that_fill_a_trained_frame_make_a_held_out_one(self):
        said = {slot: '(' + '|'.join(map(re.escape, words)) + ')' for slot, words in (LIKE | BEYOND).items()}
        for kind, frames in FRAMES.items():
            for frame in frames['trained']:
                parts = re.split(r'{(\w+)}', frame.rstrip('?'))
                pattern = ''.join(said.get(part, f'{{{part}}}') if number % 2 else re.escape(part)
                                  for number, part in enumerate(parts))
                for held in frames['heldout']:
                    plainest = re.sub(r'{(\w+)}', lambda slot: LIKE.get(slot[1], [slot[0]])[0], held.rstrip('?'))
                    self.assertIsNone(re.fullmatch(pattern, plainest), (kind, frame))

    def test_what_no_picture_tells_fills_slots_of_its_own_frames(self):
        used = {slot.strip('{}') for frame in FRAMES['unknown']['trained'] for slot in SLOT.findall(frame)}
        self.assertEqual(used - {'the', *LIKE}, set(BEYOND))

    def test_scattered_words_leave_all_others_as_they_are_and_names_whole(self):
        rng, text = np.random.default_rng(0), 'is the hot dog to the left of the sun?'
        counts = set()
        for _ in range(500):
            words = scattered(text, re.compile('hot dog'), rng).split(' ')
            self.assertEqual(words.index('dog'), words.index('hot') + 1)
            self.assertEqual([word for word in words if word in text.split(' ')], text.split(' '))
            counts.add(len(words) - len(text.split(' ')))
        self.assertTrue({0, 1, 2} <= counts, counts)

    def test_a_slip_changes_one_word_and_no_slot(self):
        rng = np.random.default_rng(0)
        for _ in range(500):
            before = 'where in the {picture} do you see {the}?'
            after = slipped(before, rng)
            self.assertEqual(SLOT.findall(after), ['{picture}', '{the}'])
            changed = [(a, b) for a, b in zip(before.split(), after.split(), strict=True) if a != b]
            self.assertLessEqual(len(changed), 1)

    def test_capitals_make_no_difference_to_the_model(self):
        tokenizer = Tokenizer.from_file('lavit-mini/tokenizer.json')
        self.assertEqual(tokenizer.encode('WHERE is the Dog?').ids, tokenizer.encode('where is the dog?').ids)


class Colours(unittest.TestCase):
    def test_the_colours_of_grounds_have_their_own_names(self):
        got = [NAMES[i] for i in named(np.array(list(GROUNDS.values())) / 255)]
        self.assertEqual(got, GROUND_NAMES)

    def test_a_thing_has_the_colour_of_most_of_it_and_else_none(self):
        rgb, alpha = np.zeros((32, 32, 3), np.float32), np.ones((32, 32, 1), np.float32)
        rgb[:, :24] = [.1, .2, .9]
        rgb[:, 24:] = [.9, .1, .1]
        self.assertEqual(main_colour(rgb, alpha), 'blue')
        rgb[:, :16] = [.9, .8, .1]
        self.assertIsNone(main_colour(rgb, alpha))
        self.assertIsNone(main_colour(rgb, alpha * 0))


if __name__ == '__main__':
    unittest.main()
