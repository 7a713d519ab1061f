import ArgumentParser

@main
struct Martlet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "A bank's notification server.",
        subcommands: [
            ServeCommand.self, CheckCommand.self, KeysCommand.self, SourceCommand.self, SendCommand.self, TraceCommand.self,
            TextCommand.self, ConnectionCommand.self, StatusCommand.self, QueueCommand.self, HoldCommand.self, ReleaseCommand.self,
            JournalCommand.self, StoreCommand.self, PrincipalCommand.self, RulebookCommand.self, AuditCommand.self, ImportCommand.self,
            ReplayCommand.self,
        ])
}
