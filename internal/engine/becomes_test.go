package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/model"
	"provision/internal/recipe"
	"provision/internal/resource"
)

var rootOwned = recipe.Attributes{Mode: 0o644, Owner: "root", Group: "root"}

// stands is what a file at a path is.
func stands(path, content string) []recipe.Effect {
	return recipe.WriteFile{Path: path, Content: []byte(content), Attributes: rootOwned}.Effects()
}

// shop is a package of which nobody has said what it brings, and what a task wants behind it.
func shop(config string) recipe.Recipe {
	var r recipe.Recipe
	r.Add(resource.File{Path: "/etc/shop/before", Content: "before\n"})
	r.Add(resource.Package{Name: "shop"})
	r.Add(resource.File{Path: "/etc/shop/shop.conf", Content: config}, restart("shop.service"))
	r.Add(resource.User{Name: "shop"})
	r.Add(resource.Link{Path: "/etc/shop/default", Absent: true})
	r.Add(resource.Service{Unit: "shop.service"})
	return r
}

// shopHost is a host on which the package brings what it wants.
func shopHost() *model.Host {
	host := bareHost()
	host.Brings["shop"] = slices.Concat(
		stands("/etc/shop/shop.conf", "the package's\n"),
		[]recipe.Effect{
			recipe.Known(recipe.UserKey("shop"), recipe.User{Exists: true, UID: 110, Group: "shop", Home: "/nonexistent", Shell: "/usr/sbin/nologin"}),
			recipe.Known(recipe.GroupKey("shop"), recipe.Group{Exists: true}),
			recipe.Known(recipe.PathKey("/etc/shop/default"), recipe.Path{Type: recipe.PathLink, Target: "x"}),
			recipe.Known(recipe.UnitKey("shop.service"), recipe.Unit{Load: "loaded", Active: "inactive", State: "enabled"}),
		})
	return host
}

func TestWhatFollowsAPackageThatSaysNothingBecomesWhatIsShown(t *testing.T) {
	host := shopHost()
	plan, err := host.Converge(shop("ours\n"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `create file:/etc/shop/before — 0644 root:root
         write /etc/shop/before
create package:shop — install
         install shop
becomes file:/etc/shop/shop.conf — 0644 root:root, after shop is installed
becomes user:shop — system account, home /nonexistent, after shop is installed
becomes link:/etc/shop/default — as it is now, after shop is installed
becomes service:shop.service, after shop is installed [at boot:  → enabled] [state:  → running]
`
	if got := model.Text(plan); got != want {
		t.Errorf("plan:\n%s\nwant:\n%s", got, want)
	}
	if diff := plan.Items[2].Change.Diff; diff == nil || diff.Exists || string(diff.After) != "ours\n" {
		t.Errorf("the content that will stand is not shown: %+v", diff)
	}
	wantDone := []string{
		"write /etc/shop/before", "install shop", "note: restart shop.service", "write /etc/shop/shop.conf",
		"remove /etc/shop/default", "start shop.service", "see that shop.service stays up", "done: shop.service",
	}
	if !slices.Equal(host.Done, wantDone) {
		t.Errorf("done:\n%s", strings.Join(host.Done, "\n"))
	}
}

func TestWhatTurnsOutToBeRightIsNotChanged(t *testing.T) {
	host := shopHost()
	_, result, err := model.Apply(t.Context(), host, host, shop("the package's\n"), func(engine.Event) {}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(host.Done, "write /etc/shop/shop.conf") || result.Same != 2 { // the file and the user
		t.Errorf("same %d, done %q", result.Same, host.Done)
	}
}

// With what it brings said, all else is known.
func TestWhatAPackageDoesNotBringIsKnown(t *testing.T) {
	for _, brings := range [][]recipe.Key{{}, {recipe.UserKey("shop")}} {
		wanted := shop("ours\n")
		wanted.Items[1].Resource = resource.Package{Name: "shop", Brings: brings}
		plan, err := engine.NewPlan(wanted, recipe.Facts{})
		if err != nil {
			t.Fatal(err)
		}
		if kind := plan.Items[2].Change.Kind; kind != recipe.Create {
			t.Errorf("brings %v: the file's change is %q", brings, kind)
		}
		want := recipe.Create
		if len(brings) > 0 {
			want = recipe.Becomes
		}
		if kind := plan.Items[3].Change.Kind; kind != want {
			t.Errorf("brings %v: the user's change is %q, want %q", brings, kind, want)
		}
	}
}

// What is right now is shown in few words, and put right where the package has changed it.
func TestWhatIsRightNowStaysSo(t *testing.T) {
	host := shopHost()
	host.Facts.Apply(stands("/etc/shop/shop.conf", "ours\n"))
	host.Brings["shop"] = append(host.Brings["shop"], stands("/etc/shop/before", "the package's\n")...)
	host.Facts.Apply(stands("/etc/shop/before", "before\n"))
	wanted := shop("ours\n")
	wanted.Items[0], wanted.Items[1] = wanted.Items[1], wanted.Items[0]
	plan, err := host.Converge(wanted)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{1, 2} {
		change := plan.Items[at].Change
		if change.Kind != recipe.Becomes || change.Summary != "as it is now" || change.Diff != nil {
			t.Errorf("%s: %+v", plan.Items[at].Item.Resource.ID(), change)
		}
	}
	if string(host.Facts.Content("/etc/shop/before").Bytes) != "before\n" {
		t.Error("what the package changed was left")
	}
}

// A command of which nobody has said what it changes is the same, whether it runs or may.
func TestWhatFollowsACommandThatSaysNothing(t *testing.T) {
	for _, row := range []struct {
		name    string
		command resource.Command
		exit    int
		kinds   []recipe.ChangeKind // of a file and a directory behind it
	}{
		{"runs", resource.Command{Name: "make", Unless: "x", Script: "x"}, 1, []recipe.ChangeKind{recipe.Becomes, recipe.Becomes}},
		{"has run", resource.Command{Name: "make", Unless: "x", Script: "x"}, 0, []recipe.ChangeKind{recipe.Create, recipe.Create}},
		{"may run", resource.Command{Name: "make", Unless: "x", Script: "x", Reads: []recipe.Key{recipe.PathKey("/etc/source")}}, 0, []recipe.ChangeKind{recipe.Becomes, recipe.Becomes}},
		{"changes nothing else", resource.Command{Name: "make", Unless: "x", Script: "x", Changes: []recipe.Key{}}, 1, []recipe.ChangeKind{recipe.Create, recipe.Create}},
		{"makes one", resource.Command{Name: "make", Unless: "x", Script: "x", Makes: []string{"/etc/made"}}, 1, []recipe.ChangeKind{recipe.Becomes, recipe.Create}},
		{"changes one", resource.Command{Name: "make", Unless: "x", Script: "x", Changes: []recipe.Key{recipe.PathKey("/etc/made")}}, 1, []recipe.ChangeKind{recipe.Becomes, recipe.Create}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var wanted recipe.Recipe
			wanted.Add(resource.File{Path: "/etc/source", Content: "a\n"})
			wanted.Add(row.command)
			wanted.Add(resource.File{Path: "/etc/made", Content: "ours\n"})
			wanted.Add(resource.Directory{Path: "/etc/other"})
			plan, err := engine.NewPlan(wanted, recipe.Facts{recipe.CommandKey("make"): {Value: recipe.Command{Exit: row.exit}}})
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range row.kinds {
				if planned := plan.Items[2+i]; planned.Change.Kind != want {
					t.Errorf("%s: %q, want %q", planned.Item.Resource.ID(), planned.Change.Kind, want)
				}
			}
		})
	}
}

// What an older answer of a guard says nothing of any more is asked again.
func TestGuardThatReadsWhatAPackageMayBring(t *testing.T) {
	var wanted recipe.Recipe
	wanted.Add(resource.Package{Name: "shop"})
	wanted.Add(resource.Command{Name: "migrate", Unless: "x", Script: "x", Reads: []recipe.Key{recipe.PathKey("/etc/shop/shop.conf")}})
	wanted.Add(resource.File{Path: "/etc/shop/shop.conf", Content: "a\n"})
	plan, err := engine.NewPlan(wanted, recipe.Facts{recipe.CommandKey("migrate"): {Value: recipe.Command{}}})
	if err != nil || plan.Items[1].Change.Kind != recipe.MayBe {
		t.Errorf("%v; %+v", err, plan.Items[1].Change)
	}
}

// What stands in the way now is refused before anything changes; what is not there yet may come.
func TestWhatIsInTheWayNowAndWhatMayCome(t *testing.T) {
	link := recipe.Fact{Value: recipe.Path{Type: recipe.PathLink, Target: "/elsewhere"}}
	_, err := engine.NewPlan(shop("ours\n"), recipe.Facts{recipe.PathKey("/etc/shop/shop.conf"): link})
	if err == nil || !strings.Contains(err.Error(), "is a link to /elsewhere") {
		t.Errorf("error %v", err)
	}
	var wanted recipe.Recipe
	wanted.Add(resource.Package{Name: "shop"})
	wanted.Add(resource.User{Name: "anna", Groups: []string{"shop"}})
	plan, err := engine.NewPlan(wanted, recipe.Facts{})
	if err != nil || plan.Items[1].Change.Kind != recipe.MayBe {
		t.Errorf("%v, %+v", err, plan)
	}
}

// What follows something that does not converge is not named with it.
func TestWhatFollowsWhatDoesNotConverge(t *testing.T) {
	host := bareHost()
	host.Guards["make"] = func(*model.Host) int { return 1 }
	var wanted recipe.Recipe
	wanted.Add(resource.Command{Name: "make", Unless: "x", Script: "x"})
	wanted.Add(resource.File{Path: "/etc/made", Content: "a\n"})
	_, err := host.Converge(wanted)
	if !errors.Is(err, engine.ErrNotConverged) || !strings.Contains(err.Error(), "command:make") || strings.Contains(err.Error(), "/etc/made") {
		t.Errorf("error: %v", err)
	}
}

// What comes to stand there and is no file is not what the plan foresaw: it stays, and is told.
func TestWhatThePlanDidNotForeseeIsRefused(t *testing.T) {
	host := shopHost()
	host.Brings["shop"] = append(host.Brings["shop"], recipe.Known(recipe.PathKey("/etc/shop/shop.conf"), recipe.Path{Type: recipe.PathLink, Target: "/elsewhere"}))
	_, err := host.Converge(shop("ours\n"))
	if !errors.Is(err, engine.ErrUnforeseen) || !strings.Contains(err.Error(), "is a link to /elsewhere") {
		t.Fatalf("error %v", err)
	}
	if host.Facts.Path("/etc/shop/shop.conf").Type != recipe.PathLink || slices.Contains(host.Done, "start shop.service") {
		t.Errorf("done %q", host.Done)
	}
}

// A plan is bound to what it showed: another content is another plan, whatever stands there.
func TestPlanIsBoundToWhatItShowed(t *testing.T) {
	installed := slices.Concat(stands("/etc/shop/before", "before\n"), []recipe.Effect{recipe.Known(recipe.PackageKey("shop"), recipe.Package{Status: "ii"})})
	for _, row := range []struct {
		name   string
		wanted recipe.Recipe
		facts  []recipe.Effect // since the plan
		stale  bool
	}{
		{"the same", shop("ours\n"), nil, false},
		{"another content", shop("another\n"), nil, true},
		{"another content, known by now", shop("another\n"), installed, true},
		{"known by now", shop("ours\n"), installed, false},
		{"right by now", shop("ours\n"), stands("/etc/shop/shop.conf", "ours\n"), false},
		{"another one stands there by now", shop("ours\n"), stands("/etc/shop/shop.conf", "theirs\n"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			host := shopHost()
			plan, err := engine.NewPlan(shop("ours\n"), found(t, host, row.wanted))
			if err != nil {
				t.Fatal(err)
			}
			host.Facts.Apply(row.facts)
			if len(row.facts) > 0 && row.facts[len(row.facts)-1].Key.Kind == recipe.KindPackage {
				host.Facts.Apply(host.Brings["shop"])
			}
			_, err = engine.Run{Host: host, Session: host, Wanted: row.wanted, Plan: plan, Observe: func(engine.Event) {}}.Apply(t.Context(), found(t, host, row.wanted))
			if errors.Is(err, engine.ErrStale) != row.stale || err != nil && !row.stale {
				t.Errorf("error %v, done %q", err, host.Done)
			}
		})
	}
	// What was to stay as it is is another by now.
	host := shopHost()
	host.Facts.Apply(stands("/etc/shop/shop.conf", "ours\n"))
	plan, err := engine.NewPlan(shop("ours\n"), found(t, host, shop("ours\n")))
	if err != nil {
		t.Fatal(err)
	}
	host.Facts.Apply(stands("/etc/shop/shop.conf", "theirs\n"))
	run := engine.Run{Host: host, Session: host, Wanted: shop("ours\n"), Plan: plan, Observe: func(engine.Event) {}}
	if _, err := run.Apply(t.Context(), found(t, host, shop("ours\n"))); !errors.Is(err, engine.ErrStale) {
		t.Errorf("what was not shown would be written: %v", err)
	}
}

// What is taken away is shown as it is now.
func TestWhatGoesIsShown(t *testing.T) {
	var wanted recipe.Recipe
	wanted.Add(resource.Package{Name: "shop"})
	wanted.Add(resource.File{Path: "/etc/shop/shop.conf", Absent: true})
	facts := recipe.Facts{}
	facts.Apply(stands("/etc/shop/shop.conf", "old\n"))
	plan, err := engine.NewPlan(wanted, facts)
	if err != nil {
		t.Fatal(err)
	}
	change := plan.Items[1].Change
	if change.Kind != recipe.Becomes || change.Summary != "no longer wanted" || change.Diff == nil || !change.Diff.Exists || len(change.Steps) > 0 {
		t.Errorf("%+v", change)
	}
}

// A file behind a package that brings it: what will stand is shown too.
func TestFileThatAPackageBringsIsShown(t *testing.T) {
	host := shopHost()
	wanted := shop("ours\n")
	wanted.Items[1].Resource = resource.Package{Name: "shop", Brings: []recipe.Key{recipe.PathKey("/etc/shop/shop.conf"), recipe.PathKey("/etc/shop/default"), recipe.UserKey("shop"), recipe.UnitKey("shop.service")}}
	plan, err := host.Converge(wanted)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int]recipe.ChangeKind{2: recipe.Becomes, 3: recipe.Becomes, 4: recipe.MayBe, 5: recipe.Becomes} {
		if planned := plan.Items[at]; planned.Change.Kind != want || planned.Change.Until != "shop is installed" {
			t.Errorf("%s: %+v", planned.Item.Resource.ID(), planned.Change)
		}
	}
}

// A service that runs, and may be told of a change: that it may take it in is said.
func TestServiceThatMayTakeInAChangeSaysSo(t *testing.T) {
	wanted := shop("ours\n")
	facts := recipe.Facts{recipe.UnitKey("shop.service"): {Value: recipe.Unit{Load: "loaded", Active: "active", State: "enabled"}}}
	plan, err := engine.NewPlan(wanted, facts)
	if err != nil {
		t.Fatal(err)
	}
	if change := plan.Items[5].Change; change.Kind != recipe.Becomes || change.Summary != "takes in what changed" {
		t.Errorf("%+v", change)
	}
}
