"""A config as a person writes one, for tests that change it."""

FILE = """\
# my rules
[defaults]
read = "allow"   # fine

# keep it slow
[[rules]]
id   = "cap"          # aligned by hand
tool = [
    "a",  # first
    "b",
]
rate_limit = { max = 3, window = 60 }   # three a minute

[[rules]]
tool = "rm"
action = "deny"
# reason = "later"

# about servers
[servers.git]
command = ["git"]

[[rules]]
id = "paths"
action = "ask"
[rules.when.path]
not_under = ["~/src"]  # home
"""
