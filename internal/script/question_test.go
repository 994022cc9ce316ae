package script_test

import (
	"reflect"
	"testing"

	"provision/internal/recipe"
	"provision/internal/script"
)

// A question is made once, and whatever of a probe makes another script makes another question.
func TestQuestionsAreToldApart(t *testing.T) {
	var questions script.Questions
	base := recipe.Probe{Key: recipe.CommandKey("c"), Script: "true"}
	if questions.Of([]recipe.Probe{base}) != questions.Of([]recipe.Probe{{Key: recipe.CommandKey("c"), Script: "true"}}) {
		t.Error("the same question is made twice")
	}
	for i := range reflect.TypeFor[recipe.Probe]().NumField() {
		other := base
		field := reflect.ValueOf(&other).Elem().Field(i)
		name := reflect.TypeFor[recipe.Probe]().Field(i).Name
		switch name {
		case "Key":
			other.Key = recipe.PathKey("c")
		case "Reads": // is no part of what is asked
			continue
		case "Unfill":
			other.Unfill = map[string]string{"a": "/b"}
		case "Digest":
			other.Digest = true
		default:
			field.SetString("another")
		}
		if questions.Of([]recipe.Probe{base}) == questions.Of([]recipe.Probe{other}) {
			t.Errorf("a probe with another %s is taken for the same", name)
		}
	}
	if questions.Of([]recipe.Probe{{Key: recipe.PathKey("/ab")}, {Key: recipe.PathKey("/c")}}) == questions.Of([]recipe.Probe{{Key: recipe.PathKey("/a")}, {Key: recipe.PathKey("/bc")}}) {
		t.Error("two paths are taken for two others")
	}
}

// What one host says is nothing that another one has said.
func TestAnswersOfAQuestionAreEachTheirOwn(t *testing.T) {
	question := script.NewQuestion(everything)
	first, err := question.Answer(answered("\x01pending\x01", "u.service", "restart"))
	if err != nil {
		t.Fatal(err)
	}
	first.Facts[recipe.PathKey("/a")] = recipe.Fact{Value: recipe.Path{Type: recipe.PathFile}}
	second, err := question.Answer(answered())
	if err != nil {
		t.Fatal(err)
	}
	if got := second.Facts.Pending("u.service"); got.Action != "" {
		t.Errorf("pending %+v", got)
	}
	if got := second.Facts.Path("/a"); got.Type != recipe.PathAbsent {
		t.Errorf("path %+v", got)
	}
}
