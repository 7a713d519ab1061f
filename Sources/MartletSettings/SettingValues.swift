public import MartletModel

/// The values of a settings file, or of one element of a list in it, read by the `Setting` that declares each.
///
/// A setting that is not in the file has its default; one whose default is empty and that is not set has the empty text, the empty list,
/// no address, or the least of its range: ask `isSet` first. Values are worth reading only when there were no mistakes.
public struct SettingValues: Sendable {
    struct Held: Sendable {
        var value: Value
        var mark: Mark
        var isSet: Bool
    }

    /// By declared path.
    var held: [String: Held] = [:]
    var lists: [String: [SettingValues]] = [:]
    /// Where this section or element begins.
    public internal(set) var mark: Mark
    /// `connections[1]` for an element of a list, else empty.
    public internal(set) var path: String
    /// What of a declared path this element's own path stands for: `connections[]`.
    var declaredPrefix: String

    init(mark: Mark, path: String = "", declaredPrefix: String = "") {
        self.mark = mark
        self.path = path
        self.declaredPrefix = declaredPrefix
    }

    private func value(_ setting: Setting) -> Value {
        if let held = held[setting.path] { return held.value }
        if case .success(let value?) = SettingsFile.defaultValue(of: setting) { return value }
        return setting.kind.zero
    }

    /// Whether the file or the environment gives it a value that is not empty.
    public func isSet(_ setting: Setting) -> Bool { held[setting.path]?.isSet ?? false }

    /// Of a text, choice, file or secret (its file).
    public func text(_ setting: Setting) -> String {
        if case .text(let text) = value(setting) { text } else { "" }
    }

    public func integer(_ setting: Setting) -> Int {
        if case .integer(let number) = value(setting) { number } else { 0 }
    }

    /// Milliseconds.
    public func duration(_ setting: Setting) -> Int64 {
        if case .milliseconds(let count) = value(setting) { count } else { 0 }
    }

    /// Bytes.
    public func size(_ setting: Setting) -> Int {
        if case .bytes(let count) = value(setting) { count } else { 0 }
    }

    public func flag(_ setting: Setting) -> Bool {
        if case .flag(let flag) = value(setting) { flag } else { false }
    }

    /// The host of an IPv6 address comes without brackets. Port 0 takes a free one.
    public func address(_ setting: Setting) -> (host: String, port: Int) {
        if case .address(let host, let port) = value(setting) { (host, port) } else { ("", 0) }
    }

    public func list(_ setting: Setting) -> [String] {
        if case .list(let items) = value(setting) { items } else { [] }
    }

    /// The elements of a list of sections, by its declared path without brackets at its end: `connections`, `bootstrap.sources`.
    public func elements(_ section: String) -> [SettingValues] { lists[section] ?? [] }

    /// Where its value stands; where its section begins when it has the default.
    public func mark(of setting: Setting) -> Mark { held[setting.path]?.mark ?? mark }

    /// Its path with the positions in lists: `connections[1].window`.
    public func path(of setting: Setting) -> String {
        declaredPrefix.isEmpty || !setting.path.hasPrefix(declaredPrefix)
            ? setting.path : path + setting.path.dropFirst(declaredPrefix.count)
    }

    /// A mistake found by comparing settings with each other, at the place of this one.
    public func mistake(_ setting: Setting, _ problem: String, remedy: String) -> Mistake {
        Mistake(at: mark(of: setting), path(of: setting), problem, remedy: remedy)
    }
}
