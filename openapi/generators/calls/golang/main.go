// The client of oapi-codegen does every job.
package main

import (
	"context"
	"encoding/base64"
	"log"
	"os"
	"strings"

	"lavit.example/calls/generated/golang"
)

func main() {
	ctx := context.Background()
	client := must(lavit.NewClientWithResponses(os.Getenv("LAVIT_URL")))
	var image lavit.ImageInput
	file := must(os.ReadFile("../../test/fixtures/scene.png"))
	check(image.FromImageInput0(base64.StdEncoding.EncodeToString(file)) == nil)

	tokens := must(client.TokenizeWithResponse(ctx, lavit.TokenizeRequest{Image: image})).JSON200
	painted := must(client.DetokenizeWithResponse(ctx, lavit.DetokenizeRequest{VisualTokens: tokens.VisualTokens}))
	check(painted.JSON200.Images[0].MediaType == "image/png")
	beams := 1
	captions := must(client.CaptionWithResponse(ctx, lavit.CaptionRequest{Image: &image, NumBeams: &beams}))
	check(strings.Contains(captions.JSON200.Captions[0].Text, "dog"))
	question := lavit.VqaRequest{Image: &image, Question: "how many objects are there?"}
	check(must(client.VqaWithResponse(ctx, question)).JSON200.Answers[0].Text == "two")

	var picture, words lavit.PromptPart
	check(picture.FromImagePart(lavit.ImagePart{Image: image}) == nil)
	check(words.FromTextPart(lavit.TextPart{Text: "on a red background"}) == nil)
	var parts, text lavit.GenerateRequest_Prompt
	check(parts.FromGenerateRequestPrompt1([]lavit.PromptPart{picture, words}) == nil)
	images := must(client.GenerateWithResponse(ctx, lavit.GenerateRequest{Prompt: parts}))
	check(len(images.JSON200.Images) == 1)
	check(text.FromGenerateRequestPrompt0("a dog") == nil)
	topP := 2.0
	refused := must(client.GenerateWithResponse(ctx, lavit.GenerateRequest{Prompt: text, TopP: &topP}))
	check(refused.ApplicationproblemJSON422.Code == "invalid_field")
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func check(isTrue bool) {
	if !isTrue {
		log.Panic("this is not so")
	}
}
