"""Commands and files that a step calls and that are not there (exit codes 126 and 127, and their kin)."""

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

SIGNATURES = (
    Signature(
        name="command.notfound",
        failure_class=FailureClass.CI_COMMAND,
        pattern=r"(?:^|: )(?:line )?(?:\d+: )?(?P<name>[\w./+-]{1,80}): (?:command )?not found$"
        r"|^env: ['‘]?(?P<name3>[^'’:]+)['’]?: No such file or directory"
        r"|^(?:/\S+/)?(?:ba|z|da|)sh: (?:\d+: |line \d+: )?(?P<name4>[\w./+-]+): (?:not found|No such file or directory)"
        r"|'(?P<name5>[\w.-]+)' is not recognized as an internal or external command"
        r"|[Tt]he term '(?P<name6>[^']+)' is not recognized"
        r"|make(?:\[\d+\])?: (?P<name8>[\w./-]+): (?:Command not found|No such file or directory)"
        r"|The program '(?P<name12>[^']+)' is currently not installed|command \"(?P<name11>[^\"]+)\" not found"
        r"|command not found: (?P<name13>\S+)|Unknown command: (?P<name14>\S+)",
        cause="The command {name} does not exist where the job runs.",
        culprit_kind=CulpritKind.COMMAND,
        rank=25,
        reach_lines=150,
    ),
    Signature(
        name="command.spawn",
        failure_class=FailureClass.CI_COMMAND,
        pattern=r"exec: \"(?P<name2>[^\"]+)\": (?:executable file not found|stat )|spawn (?P<name10>\S+) ENOENT"
        r"|Cannot run program \"(?P<name15>[^\"]+)\"|error: no such (?:sub)?command: `?(?P<name7>[\w-]+)"
        r"|npm (?:ERR!|error) Missing script: \"?(?P<name9>[\w:-]+)"
        r"|npm (?:ERR!|error) missing script: (?P<name16>[\w:-]+)|error Command \"(?P<name17>[^\"]+)\" not found"
        r"|bundler: command not found: (?P<name18>\S+)|ERR_PNPM_NO_SCRIPT.* (?P<name19>\S+)$"
        r"|Couldn't find a script named \"(?P<name20>[^\"]+)\"|Unable to locate executable file: (?P<name21>\S+?)\."
        r"|The following required programs are missing|error: Build input files? cannot be found: '(?P<name22>[^']+)'",
        cause="The command {name} does not exist where the job runs.",
        culprit_kind=CulpritKind.COMMAND,
        rank=25,
    ),
    Signature(
        name="file.missing",
        failure_class=FailureClass.CI_COMMAND,
        pattern=r"python[\d.]*: can't open file '(?P<name>[^']+)'"
        r"|^(?:/\S+: |\S+\.sh: )*(?:\S+: )?line \d+: (?:cd: |source: )?(?P<name2>\S+): No such file or directory"
        r"|^(?:\S+/)?(?:\w*sh|cat|ls|cp|mv|cd|rm|chmod|chown|tar|head|tail|sed|grep|stat|install|unzip|zip|source|diff|find): .{0,60}?['‘]?(?P<name3>[\w./~*-]+)['’]?:? (?:Cannot open: )?No such file or directory"
        r"|^(?:ba|da|)sh: \d+: (?:cannot open|Can't open|\.:) (?P<name4>\S+?):?(?: No such file)?$"
        r"|ENOENT: no such file or directory, \w+ '(?P<name5>[^']+)'"
        r"|FileNotFoundError: \[Errno 2\] No such file or directory: '(?P<name6>[^']+)'"
        r"|Could not open requirements file: .*'(?P<name7>[^']+)'|Unable to access jarfile (?P<name8>\S+)"
        r"|error: could not find .Cargo\.toml."
        r"|(?:enoent|ENOENT).* Could not read package\.json|Couldn't find a package\.json file in"
        r"|no configuration file provided: not found|error MSB10(?:03|09): "
        r"|java\.io\.FileNotFoundException: (?P<name10>\S+)"
        r"|(?:open|stat|lstat) (?P<name11>[^\s:]+): no such file or directory"
        r"|No such file or directory @ rb_sysopen - (?P<name12>\S+)"
        r"|Error: (?:Unable to process file command|File not found|Could not find file|The specified \S+ does not exist)"
        r"|Failed to open stream: No such file|Could not read (?:from )?file (?P<name13>\S+)"
        r"|No such file or directory -- (?P<name14>\S+)",
        cause="The file {name} is not there.",
        culprit_kind=CulpritKind.FILE,
        rank=32,
        reach_lines=60,
    ),
)
