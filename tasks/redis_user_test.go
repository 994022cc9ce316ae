package tasks

import (
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

func redisUserOf(t *testing.T, given recipe.Values) (recipe.Recipe, map[string]string) {
	t.Helper()
	in := recipe.Input{Vars: recipe.Values{}, Of: func(string) recipe.Values {
		vars := recipe.Values{}
		for _, v := range redisVariables() {
			vars[v.Name] = v.Zero()
		}
		return vars
	}}
	for _, v := range redisUserPart().Variables {
		in.Vars[v.Name] = v.Zero()
		if value, there := given[v.Name]; there {
			in.Vars[v.Name] = value
		}
	}
	r, gives, err := redisUserPart().Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return r, gives
}

func usersFile(t *testing.T, r recipe.Recipe) resource.File {
	t.Helper()
	for _, item := range r.Items {
		if file, ok := item.Resource.(resource.File); ok && strings.HasSuffix(file.Path, ".acl") {
			return file
		}
	}
	t.Fatal("there is no file of the user")
	return resource.File{}
}

// A user is one line of a file of its own, which begins with what takes away all that a user of that
// name had; its password is made on the host, or is the one that was given, and never shown.
func TestRedisUser(t *testing.T) {
	r, gives := redisUserOf(t, recipe.Values{"name": "shop", "keys": []string{"shop:*", "cart:*"}, "channels": []string{"news"}, "commands": []string{"+@read", "+config|get"}})
	made := usersFile(t, r)
	if want := "user shop reset on >@PASSWORD@ ~shop:* ~cart:* &news +@read +config|get\n"; made.Content != want || made.Path != "/etc/redis/users.d/shop.acl" {
		t.Errorf("%s: %q", made.Path, made.Content)
	}
	if made.Fill["@PASSWORD@"] != gives["password"] || gives["password"] != "/etc/provision/secrets/redis-shop" {
		t.Errorf("filled with %v, gives %v", made.Fill, gives)
	}
	given, _ := redisUserOf(t, recipe.Values{"name": "shop", "password": recipe.NewSecret("correct-horse")})
	file := usersFile(t, given)
	if want := "user shop reset on >correct-horse +@all -@admin -@dangerous\n"; file.Content != want || !file.Secret || file.Fill != nil {
		t.Errorf("%q, secret %t, filled with %v", file.Content, file.Secret, file.Fill)
	}
	for _, item := range given.Items {
		if _, ok := item.Resource.(resource.Secret); ok {
			t.Errorf("%s is made, and a password was given", item.Resource.ID())
		}
	}
}

// What would be two words, or two lines, of the file of users is refused where it is written, and so are
// the task's own users.
func TestRedisUserRefuses(t *testing.T) {
	secret := func(text string) any { return recipe.NewSecret(text) }
	bad := map[string][]any{
		"name":     {"default", "admin", "gimel", "a b", "a\nuser root on nopass +@all", "Shop", "../shop", "00-provision"},
		"keys":     {[]string{"a b"}, []string{""}, []string{"a\nb"}, []string{"é"}},
		"channels": {[]string{"a b"}, []string{""}},
		"commands": {[]string{"@read"}, []string{"+@read ~*"}, []string{"nopass"}, []string{"~*"}, []string{">x"}, []string{"+get\n"}},
		"password": {secret("short"), secret("correct horse"), secret("correct-horse\nuser x on nopass"), secret("correct-hörse")},
	}
	for _, variable := range redisUserPart().Variables {
		for _, value := range bad[variable.Name] {
			if variable.Check(value) == nil {
				t.Errorf("%s: %q passes", variable.Name, value)
			}
		}
		delete(bad, variable.Name)
	}
	if len(bad) > 0 {
		t.Errorf("no variables: %v", bad)
	}
}
