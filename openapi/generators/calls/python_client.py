"""The client of openapi-python-client does every job."""
import base64
import os
import sys

sys.path.insert(0, 'generated')
from lavit import Client
from lavit.api.jobs import caption, detokenize, generate, tokenize, vqa
from lavit import models

client = Client(base_url=os.environ['LAVIT_URL'])
with open('../../test/fixtures/scene.png', 'rb') as file:
    image = base64.b64encode(file.read()).decode()

tokens = tokenize.sync(client=client, body=models.TokenizeRequest(image=image))
painted = detokenize.sync(client=client, body=models.DetokenizeRequest(visual_tokens=tokens.visual_tokens))
assert painted.images[0].media_type == 'image/png'
captions = caption.sync(client=client, body=models.CaptionRequest(image=image, num_beams=1))
assert 'dog' in captions.captions[0].text
answers = vqa.sync(client=client, body=models.VqaRequest(image=image, question='how many objects are there?'))
assert answers.answers[0].text == 'two'
parts = [models.ImagePart(type_=models.ImagePartType.IMAGE, image=image), models.TextPart(type_=models.TextPartType.TEXT, text='on a red background')]
images = generate.sync(client=client, body=models.GenerateRequest(prompt=parts, seed=7))
assert len(images.images) == 1
refused = generate.sync(client=client, body=models.GenerateRequest(prompt='a dog', top_p=2))
assert refused.code == 'invalid_field'
