"""The words by which `risk` tells what a tool does. Data only: English verbs in their base form.

No word here is the name of a product. A verb that is missing makes a tool unknown, which counts as
changing things; a verb in the wrong list is the worse mistake.
"""

from __future__ import annotations

from mcpwall.model import Risk


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BY_RISK = {
    Risk.READ: """
        aggregate analyse analyze ask audit browse calculate capture check compare compute
        convert count describe detect diagnose diff discover display download echo enumerate
        estimate examine explain explore fetch find get glob grep identify inspect list locate
        look lookup measure monitor observe ping poll predict preview profile query read recall
        recommend retrieve return review scan search see show suggest summarise summarize tail
        test think trace translate troubleshoot validate verify view visualize wait watch whoami
        """,
    Risk.WRITE: """
        accept acknowledge activate add adjust allocate allow alter amend annotate append apply
        approve archive assign associate attach authorize backup ban block book bookmark branch
        change checkin checkout choose click clone close collect comment commit complete compose
        compress configure confirm connect continue copy create deactivate decline decrease
        define deploy deselect design detach disable disconnect dismiss dispatch draft drag
        duplicate edit email emulate enable encrypt enqueue enrich enroll escalate export extend
        favorite fill finalize finish fix flag focus follow fork format forward generate give
        grant group handle hide hover implement import increase increment index ingest init
        initialise initialize insert install invite join label leave like link load lock login
        logout make manage map mark merge message migrate modify move mute name navigate notify
        open optimize organize override patch pause perform pin place plan populate post prepare
        press prioritize promote propose provision publish push put queue quote rank rate react
        reassign rebase rebuild reconnect record redirect refactor refresh register reindex
        reject release reload remember rename renew reopen reorder repair reply report
        reprioritize request reschedule reserve resize resolve respond restore resume retry
        reverse revise rotate save scale schedule scroll select send set setup share sign
        simulate snooze sort split stage star store stream submit subscribe suspend swap swipe
        switch sync synchronize tag take tap teleport toggle transcode transcribe transfer
        transform transition turn type unarchive unassign unblock undo unfollow unhide unlink
        unlock unmark unmute unpin unresolve unshare unstar unsubscribe unsuspend update upgrade
        upload upsert vote write zip
        """,
    Risk.EXECUTE: """
        abort bash build call cmd command compile debug eval evaluate exec execute halt inject
        instantiate interact invoke kickoff launch process reboot redeploy relaunch rerun
        restart run script shell shutdown spawn ssh start stop sudo terminal trigger
        """,
    Risk.DESTRUCTIVE: """
        cancel clean cleanup clear delete demolish deprovision deregister destroy discard drop
        empty eradicate erase evict expire expunge flush force invalidate kill nuke overwrite
        prune purge remove replace reset revert revoke rm rollback scrub shred terminate trash
        truncate undeploy uninstall unpublish unregister wipe
        """,
    Risk.FINANCIAL: """
        bid buy charge disburse donate pay payout purchase rebalance refund reimburse remit sell
        spend stake tip trade withdraw
        """,
}
VERBS: dict[str, Risk] = {word: risk for risk, words in _BY_RISK.items() for word in _words(words)}

# Verbs that are as often nouns: `issue_write` writes, `get_release` reads, `build_status` reads.
NOUNS = _words(
    """
    ask backup block book bookmark branch build call change charge clone command comment commit
    deploy draft email export flag fork format group import index install issue label like link
    list load lock log map match message name order pin place plan post process profile queue
    quote rank rate record release report request review run schedule script share shell sign
    stage star start store stream tag terminal test tip trade transfer trigger upgrade
    view vote watch
    """
)

# What stands last in a name that only tells: `sam_logs`, `deploy_status`.
READING_NOUNS = _words(
    """
    analytics details docs documentation examples guidance guide health help history info
    information insights leaderboard list log logs metadata metrics output overview results
    schema schemas standings stat statistics stats status summary templates top version versions
    """
)

# What has a status, a history or logs of its own: `deploy_status` reads, `update_status` does not.
RUNS = _words(
    """
    backup build clone commit deploy install issue order queue release request review run schedule
    test trade transfer trigger
    """
)
RECORDS = _words(
    "details guidance help history info log logs results stats statistics status summary"
)

# These count right after a reading verb too: `find_replace`, `read_write`.
SECOND = _words("delete insert overwrite remove replace write")

MONEY = _words(
    """
    balance bill billing coupon credit crypto deposit discount fund funds invoice invoices loan
    money order orders payment payments payout payouts price prices purchase refund refunds
    salary subscription subscriptions trade transaction transactions wallet
    """
)

# Before the first verb of a description these say nothing.
FILLER = _words(
    """
    a ability allow allows an api be by can easily enables endpoint for function helper helps
    here is it lets method operation operations perform performs provides simply that the this
    to tool tools use used useful user users utility various which will with you your
    """
)

# These start descriptions of reading tools too: "Run a find query", "Generates a summary".
WEAK = _words(
    """
    build call compile connect convert debug execute format generate index load log make map
    match name open perform plan process rank rate report run select start stream take use wait
    """
)

# Arguments that carry code, and arguments that choose what a tool does.
CODE_ARGUMENTS = _words(
    "bash cmd code command commands javascript js_code python script shell shell_command"
)
SQL_ARGUMENTS = _words("sql sql_query statement")
CHOICE_ARGUMENTS = _words("action actions command method mode op operation")
