package statistics

// Judge is Analyse without the odds, which take the longest by far: for lists.
func Judge(goals []Goal, design Design) []Report { return judge(goals, design) }
