package project

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"provision/internal/recipe"
)

// This file knows what those write who come from Python, and says what to write here: Starlark's
// own messages are as "got string literal, want newline". It refuses nothing; it is asked only
// where Starlark has refused.

// idiom is something of Python's that Starlark has not.
type idiom struct {
	form            *regexp.Regexp
	problem, advice string
}

// pythonLines are idioms by the line that could not be read.
var pythonLines = []idiom{
	{regexp.MustCompile(`^\s*while\b`), "while: there is no loop without an end", "for i in range(100): … and break where it is done"},
	{regexp.MustCompile(`^\s*(try|except|finally)\b`), "try: an error cannot be caught", "ask before: if \"key\" in values: …"},
	{regexp.MustCompile(`^\s*raise\b`), "raise: an error is no object", "fail(\"why\") ends the build with its place"},
	{regexp.MustCompile(`^\s*assert\b`), "assert: there is none", "if not wanted: fail(\"why\")"},
	{regexp.MustCompile(`^\s*(import|from)\s`), "import: there are no modules of Python", "load(\"lib.star\", \"site\") takes the function site from a file of the project"},
	{regexp.MustCompile(`^\s*with\b`), "with: nothing is opened here", "template(\"x.tmpl\", …) and file(…, source = \"x\") read files of the project"},
	{regexp.MustCompile(`^\s*class\b`), "class: there are none", "a function that returns a list, or a dict, does it"},
	{regexp.MustCompile(`^\s*(global|nonlocal)\b`), "global: what stands outside of a function cannot be changed", "hand it over as an argument, and return the new one"},
	{regexp.MustCompile(`\byield\b`), "yield: there are no generators", "return a list: [file(path, \"\") for path in paths]"},
	{regexp.MustCompile(`^\s*(async|await)\b`), "async: nothing waits here", "leave it out: hosts are worked on at once by themselves"},
	{regexp.MustCompile(`^\s*del\b`), "del: there is none", "d.pop(\"key\") of a dict; of a list make a new one: [x for x in all if x != y]"},
	{regexp.MustCompile(`^\s*@\w`), "a decorator: there are none", "call the function on what the other returns"},
	{regexp.MustCompile(`^\s*print\s+[^(\s]`), "print is a function", "print(\"text\")"},
	{regexp.MustCompile(`^\s*else\s+if\b`), "else if: is one word here", "elif wanted:"},
	{regexp.MustCompile(`^\s*match\s.*:\s*$`), "match: there is none", "if … elif …, or a dict: {\"a\": 1, \"b\": 2}[name]"},
	{regexp.MustCompile(`(^|[^\w])[fF][rR]?["']`), "an f-string: there are none", "\"listen %d\" % port, or \"listen {}\".format(port)"},
	{regexp.MustCompile(`:=`), ":= assigns nothing within an expression", "a line of its own: name = value"},
	{regexp.MustCompile(`\bis\s+not\b`), "is not: there is none", "!= compares: x != None"},
	{regexp.MustCompile(`\bis\b`), "is: there is none", "== compares: x == None"},
	{regexp.MustCompile(`[\w)\]]\s*\*\*\s*[\w(]`), "**: there is no power", "multiply: x * x; 1 << n is a power of two"},
	{regexp.MustCompile(`[\[(,]\s*\*\w+.*\]`), "* in a list: there is none", "a + b joins lists"},
	{regexp.MustCompile(`\{\s*\*\*`), "** in a dict: there is none", "a | b joins dicts"},
	{regexp.MustCompile(`&&|\|\|`), "&& and ||: are words here", "and, or, not"},
	{regexp.MustCompile(`\+\+|--`), "++: there is none", "x += 1"},
	{regexp.MustCompile(`^\s*def\b.*(->|\w\s*:\s*\w+\s*[,)=])`), "types of arguments are not written", "def site(name, port = 80):"},
}

// pythonTokens are idioms by Starlark's message, for those that the line does not tell.
var pythonTokens = []idiom{
	{regexp.MustCompile(`does not associate`), "two comparisons in one", "low < x and x < high"},
	{regexp.MustCompile(`obsolete form of octal`), "a number that begins with 0", "a mode is a text: mode = \"0644\"; other octal numbers are 0o17"},
	{regexp.MustCompile(`got ['",}]+, want ':'`), "a set in braces: there is none", "set([1, 2])"},
	{regexp.MustCompile(`got string literal, want`), "two texts side by side", "+ joins them: \"a\" + \"b\"; or a comma is missing"},
	{regexp.MustCompile(`not within a function`), "if and for stand within functions", "move it into build, or into a function that build calls; a list has them too: [x for x in all if x]"},
	{regexp.MustCompile(`cannot reassign`), "a name outside of functions is given its value once", "another name, or do it within a function"},
	{regexp.MustCompile(`got newline, want ':'`), "a colon is missing at the line's end", "def build(v, host):"},
	{regexp.MustCompile(`got indent|got outdent|unindent does not match|want outdent|want indent`), "the lines do not stand one below the other", "four spaces for each level, and no tabs"},
	{regexp.MustCompile(`want primary expression`), "a value is missing", "port = 80, or file(\"/etc/motd\", \"Hello\\n\")"},
	{regexp.MustCompile(`in string`), "a text has no end", "a quote at its end; \"\"\" begins and ends one of several lines"},
	{regexp.MustCompile(`load statement within`), "load stands at the file's head", "load(\"lib.star\", \"site\") above all functions"},
	{regexp.MustCompile(`conditional expression without else`), "a condition that says not what else", "\"a\" if wanted else \"b\""},
	{regexp.MustCompile(`got '=', want ':'`), "= gives a value", "== compares: if x == 12:"},
	{regexp.MustCompile(`unexpected input character '\\ufeff'`), "a byte order mark stands before the text", "save the file as UTF-8 without it"},
	{regexp.MustCompile(`unexpected input character '[“”„‘’‚]'`), "a quote as in a printed text", "\"text\", with the quote of the keyboard"},
	{regexp.MustCompile(`not in a loop`), "break and continue stand within a loop", "return ends a function"},
}

// pythonNames are names that Python has and Starlark has not.
var pythonNames = []struct{ names, problem, advice string }{
	{"open read write", "no files are opened here", "template(\"x.tmpl\") and file(…, source = \"x\") read files of the project"},
	{"os sys subprocess shutil socket requests urllib pathlib Path", "a task runs nothing itself, and reads nothing of this machine", "command(\"name\", \"script\", unless = \"guard\") runs on the host, when its guard says so"},
	{"sudo put cd connection c ctx shell local", "a task does nothing step by step: it returns what has to be", runsHow},
	{"datetime time random uuid", "a build depends on its arguments alone", "generated(\"/etc/x/key\") makes a random text on the host"},
	{"re json yaml math", "there are no modules of Python", "texts have split, replace, startswith and format; int(\"7\") reads a number"},
	{"true false", "is written with a capital", "True, False"},
	{"null nil none undefined", "is written None", "None"},
	{"isinstance", "there are no classes", "type(x) == \"string\""},
	{"sum", "there is none", "for x in numbers: total += x"},
	{"map filter", "there is none", "[f(x) for x in all if wanted(x)]"},
	{"round", "there is none", "int(x) cuts, and // divides whole numbers"},
	{"format", "it belongs to a text", "\"{} {}\".format(a, b)"},
	{"input raw_input", "nobody is asked during a build", "var(\"name\", str, help = …) in variables"},
	{"object super Exception self", "there are no classes", "a function, or a dict"},
	{"environ getenv", "the environment is not read", "var(\"token\", secret): -e task.token=@env:TOKEN gives it"},
}

// pythonFailures are idioms that are read, and refused when they run. Where Starlark's own message
// says what is wrong, there is the advice alone.
var pythonFailures = []idiom{
	{regexp.MustCompile(`called recursively`), "a function that calls itself: there is no recursion", "a loop: for x in all: …"},
	{regexp.MustCompile(`(cannot .* frozen|frozen (list|dict|set)|immutable)`), "what stands outside of functions, and what a variable holds, cannot be changed", "make a new one: all = v.names + [\"more\"], within the function"},
	{regexp.MustCompile(`^(string value is not iterable|for loop: got string, want iterable)|string.* not iterable`), "a text is no list of letters", "text.elems(), or text.split(\",\")"},
	{regexp.MustCompile(`unknown conversion`), "% has neither widths nor flags", "\"%s\", \"%d\" and \"%%\""},
	{regexp.MustCompile(`unknown binary op: (string \+ (int|float|bool)|(int|float|bool) \+ string)`), "a text and a number are not joined", "str(n), or \"%d\" % n"},
	{regexp.MustCompile(`unknown binary op: float`), "/ makes a fraction", "// divides whole numbers"},
	{regexp.MustCompile(`invalid call of non-function \(task\)`), "a task that ships is not called, its parts are", "nginx.site(…); provision list --kinds has all parts"},
	{regexp.MustCompile(`unknown binary op: (string \+ NoneType|NoneType \+ string)`), "a text and None are not joined", "(v.domain or \"\"): a variable with default = None may be None"},
	{regexp.MustCompile(`want string, got secret`), "a secret is joined with +, %s and format", "[\"token: \" + v.token]"},
	{regexp.MustCompile(`index -?\d+ out of range`), "", "ask before how many there are: if len(all) > 1: …"},
	{regexp.MustCompile(`^key .* not in dict`), "", "d.get(\"key\", \"else\"), or before: if \"key\" in d: …"},
	{regexp.MustCompile(`division by zero|modulo by zero`), "", "ask before: if n: …"},
	{regexp.MustCompile(`arguments for format string`), "", "a value for each %s, in brackets: \"%s:%d\" % (name, port)"},
	{regexp.MustCompile(`referenced before assignment`), "", "give it a value above the if too"},
	{regexp.MustCompile(`^dict has no \.`), "", "d[\"key\"]: a dict has its values in brackets"},
	{callMismatch, "", "call it as its def says"},
	{regexp.MustCompile(tooManySteps), "runs without an end: it took more than 10 million steps", "a loop is too long, or within too many others"},
	{regexp.MustCompile(tooLong), "takes longer than 10 seconds", "a text or a list grows too far in a loop"},
}

// unread says what is wrong with a line that could not be read.
func (p *Project) unread(at recipe.Position, message string) *recipe.SourceError {
	line := withoutTexts(p.line(at))
	for _, known := range pythonLines {
		if found := known.form.FindStringIndex(line); found != nil {
			at.Column = 1 + len([]rune(line[:found[0]])) + leading(line[found[0]:])
			return &recipe.SourceError{At: at, Problem: known.problem, Advice: known.advice}
		}
	}
	if strings.Count(line, `"`)%2 == 1 && !strings.Contains(line, `"""`) {
		message = "unexpected newline in string"
	} else if open, ok := p.unclosed(at); ok && brackets.MatchString(message) {
		return &recipe.SourceError{At: open, Problem: "a bracket that nothing closes", Advice: "its ), ] or }, or a comma, is missing further on"}
	}
	for _, known := range pythonTokens {
		if known.form.MatchString(message) {
			return &recipe.SourceError{At: at, Problem: known.problem, Advice: known.advice}
		}
	}
	return &recipe.SourceError{At: at, Problem: "cannot be read: " + message, Advice: "see the line, and the one above it: a bracket, a comma or a quote may be missing"}
}

// unresolved says what is wrong with a name, or with the place of a statement.
func (p *Project) unresolved(at recipe.Position, message string) *recipe.SourceError {
	rest, undefined := strings.CutPrefix(message, "undefined: ")
	if !undefined {
		return p.unread(at, message)
	}
	name, _, _ := strings.Cut(rest, " ") // Starlark's own guess is behind it
	for _, known := range pythonNames {
		if slices.Contains(strings.Fields(known.names), name) {
			return &recipe.SourceError{At: at, Problem: name + ": " + known.problem, Advice: known.advice}
		}
	}
	names := slices.Concat(p.word.Keys(), starlark.Universe.Keys(), p.defined(at.File, name))
	advice := "provision list --kinds tells the words that there are"
	if near := recipe.Nearest(name, names); near != "" {
		advice = "did you mean " + near + "?"
	}
	return &recipe.SourceError{At: at, Problem: name + ": there is no such name", Advice: advice}
}

// defined are the names that a file has, but for the one that is not known.
func (p *Project) defined(file, unknown string) []string {
	var names []string
	if m := p.read[file]; m != nil && m.file != nil {
		syntax.Walk(m.file, func(n syntax.Node) bool {
			if ident, ok := n.(*syntax.Ident); ok && ident.Name != unknown && ident.Name != guarded && ident.Name != uncut {
				names = append(names, ident.Name)
			}
			return true
		})
	}
	return names
}

// reworded says in our words what failed while it ran.
func reworded(message string) (problem, advice string) {
	message = strings.TrimPrefix(message, "Starlark computation cancelled: ")
	if meant := didYouMean.FindStringSubmatch(message); meant != nil {
		return meant[1], meant[2]
	}
	for _, known := range pythonFailures {
		if known.form.MatchString(message) {
			return cmp.Or(known.problem, message), known.advice
		}
	}
	return message, ""
}

// callMismatch is about a function's arguments: what is wrong is its call.
var callMismatch = regexp.MustCompile(`^function \S+ (missing|accepts|got) `)

var didYouMean = regexp.MustCompile(`^(.*) \((did you mean .*\?)\)$`)

var quoted = regexp.MustCompile(`"(\\.|[^"\\])*"|'(\\.|[^'\\])*'`)

// withoutTexts is a line with nothing in its texts, and without its comment. What is left has
// its place.
func withoutTexts(line string) string {
	line = quoted.ReplaceAllStringFunc(line, func(text string) string {
		return text[:1] + strings.Repeat(" ", len([]rune(text))-2) + text[:1]
	})
	line, _, _ = strings.Cut(line, "#")
	return line
}

// leading is how many characters stand before the first one that is meant.
func leading(text string) int { return len(text) - len(strings.TrimLeft(text, " \t([{,=")) }
