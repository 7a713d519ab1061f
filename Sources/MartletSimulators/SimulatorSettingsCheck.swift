import SMSText

/// All mistakes of a settings file, in order of their lines.
public struct SettingsMistakes: Error, Equatable {
    public var mistakes: [FieldError]
}

extension SimulatorSettings {
    /// Reads settings from a file's values:
    /// ```
    /// admin: {host: 127.0.0.1, port: 8190}
    /// smsc:
    ///   - {name: north, port: 2776, systemId: martlet, password: ..., window: 0, seed: 1, behaviour: {...}}
    /// ```
    /// - Throws: every mistake found, each with its line.
    public static func read(_ file: Loose) throws(SettingsMistakes) -> SimulatorSettings {
        var reader = SettingsReader()
        let settings = reader.settings(file)
        guard reader.mistakes.isEmpty else { throw SettingsMistakes(mistakes: reader.mistakes.sorted { $0.line < $1.line }) }
        return settings
    }
}

/// Collects mistakes while it reads, so that a person sees all of them at once.
private struct SettingsReader {
    var mistakes: [FieldError] = []

    private mutating func mistake(_ field: String, _ reason: String, _ line: Int) {
        mistakes.append(FieldError(field: field, reason: reason, line: line))
    }

    mutating func settings(_ file: Loose) -> SimulatorSettings {
        var settings = SimulatorSettings(smscs: [])
        var hosts: [(field: String, host: String, line: Int)] = []
        for entry in map("settings", file) {
            switch entry.key {
            case "admin":
                for inner in map("admin", entry.value) {
                    switch inner.key {
                    case "host":
                        settings.adminHost = text("admin.host", inner, 1...255) ?? settings.adminHost
                        hosts.append(("admin.host", settings.adminHost, inner.line))
                    case "port": settings.adminPort = integer("admin.port", inner, 0...65_535) ?? settings.adminPort
                    default: mistake("admin.\(inner.key)", "no such setting; admin has host, port", inner.line)
                    }
                }
            case "smsc":
                guard case .list(let items) = entry.value.kind, (1...64).contains(items.count) else {
                    mistake("smsc", "must be a list of 1 to 64 operators", entry.line)
                    continue
                }
                for (index, item) in items.enumerated() {
                    let (smsc, line) = smsc("smsc[\(index)]", item)
                    if settings.smscs.contains(where: { $0.name == smsc.name }) {
                        mistake("smsc[\(index)].name", "there is another operator of this name", line)
                    }
                    if smsc.port != 0, settings.smscs.contains(where: { $0.port == smsc.port && $0.host == smsc.host }) {
                        mistake("smsc[\(index)].port", "another operator has this port", line)
                    }
                    settings.smscs.append(smsc)
                    hosts.append(("smsc[\(index)].host", smsc.host, line))
                }
            case "plaintextReason": settings.plaintextReason = text("plaintextReason", entry, 8...500)
            default: mistake(entry.key, "no such setting; there are admin, smsc, plaintextReason", entry.line)
            }
        }
        if settings.smscs.isEmpty, mistakes.isEmpty { mistake("smsc", "must name at least one operator", file.line) }
        if settings.plaintextReason == nil {
            for place in hosts where !["127.0.0.1", "::1", "localhost"].contains(place.host) {
                mistake(place.field, "is not this machine; nothing here is encrypted, so give plaintextReason to allow it", place.line)
            }
        }
        return settings
    }

    private mutating func smsc(_ path: String, _ item: Loose) -> (SMSCSettings, line: Int) {
        var smsc = SMSCSettings(name: "")
        var line = item.line
        var zeroes = AlphabetProfile.Zero.gsm7
        var codings: [Loose.Entry] = []
        for entry in map(path, item) {
            let field = "\(path).\(entry.key)"
            switch entry.key {
            case "name":
                line = entry.line
                let name = text(field, entry, 1...32) ?? ""
                let isPlain = name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
                if !isPlain { mistake(field, "may hold a-z, 0-9 and -", entry.line) }
                smsc.name = name
            case "host": smsc.host = text(field, entry, 1...255) ?? smsc.host
            case "port": smsc.port = integer(field, entry, 0...65_535) ?? smsc.port
            case "systemId": smsc.systemId = text(field, entry, 1...15) ?? smsc.systemId
            case "password": smsc.password = text(field, entry, 1...8)
            case "window": smsc.window = integer(field, entry, 0...100_000) ?? smsc.window
            case "seed": smsc.seed = UInt64(integer(field, entry, 0...Int.max) ?? 1)
            case "keep": smsc.keep = integer(field, entry, 0...SMSCSettings.keepMaximum) ?? smsc.keep
            case "duplicateWindow":
                smsc.duplicateWindow = integer(field, entry, 0...SMSCSettings.duplicateWindowMaximum) ?? smsc.duplicateWindow
            case "dataCodingZero":
                let words: [String: AlphabetProfile.Zero] = ["gsm7": .gsm7, "latin1": .latin1, "ascii": .ascii]
                if let zero = words[text(field, entry, 1...6) ?? ""] {
                    zeroes = zero
                } else {
                    mistake(field, "must be one of gsm7, latin1, ascii", entry.line)
                }
            case "dataCodings": codings = map(field, entry.value)
            case "behaviour":
                // One field at a time, so that each mistake is told.
                for inner in map(field, entry.value) {
                    do {
                        smsc.behaviour = try smsc.behaviour.changed(by: [inner])
                    } catch {
                        mistake("\(field).\(error.field)", error.reason, inner.line)
                    }
                }
            default:
                let known =
                    "name, host, port, systemId, password, window, seed, keep, duplicateWindow, dataCodingZero, dataCodings, behaviour"
                mistake(field, "no such setting; an operator has \(known)", entry.line)
            }
        }
        smsc.alphabets = AlphabetProfile(zero: zeroes)
        for entry in codings { take(entry, "\(path).dataCodings", &smsc.alphabets) }
        if smsc.name.isEmpty, case .map = item.kind { mistake("\(path).name", "must be given", line) }
        return (smsc, line)
    }

    /// `gsm7: 17`
    private mutating func take(_ entry: Loose.Entry, _ path: String, _ alphabets: inout AlphabetProfile) {
        let field = "\(path).\(entry.key)"
        guard let number = integer(field, entry, 0...255).map({ UInt8($0) }) else { return }
        switch entry.key {
        case "gsm7": alphabets.gsm7 = number
        case "ascii": alphabets.ascii = number
        case "latin1": alphabets.latin1 = number
        case "cyrillic": alphabets.cyrillic = number
        case "ucs2": alphabets.ucs2 = number
        default: mistake(field, "no such alphabet; there are gsm7, ascii, latin1, cyrillic, ucs2", entry.line)
        }
    }

    private mutating func map(_ field: String, _ value: Loose) -> [Loose.Entry] {
        if case .map(let entries) = value.kind { return entries }
        mistake(field, "must be a map, not \(value.word)", value.line)
        return []
    }

    private mutating func text(_ field: String, _ entry: Loose.Entry, _ octets: ClosedRange<Int>) -> String? {
        if case .text(let text) = entry.value.kind, octets.contains(text.utf8.count) { return text }
        mistake(field, "must be text of \(octets.lowerBound) to \(octets.upperBound) octets", entry.line)
        return nil
    }

    private mutating func integer(_ field: String, _ entry: Loose.Entry, _ range: ClosedRange<Int>) -> Int? {
        if case .integer(let number) = entry.value.kind, range.contains(number) { return number }
        mistake(field, "must be a whole number from \(range.lowerBound) to \(range.upperBound)", entry.line)
        return nil
    }
}
