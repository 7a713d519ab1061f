import FoundationEssentials
import MartletSimulators
import Yams

/// Why a settings file cannot be used: a line for each mistake, "sim.yaml:7: smsc[0].port: ...".
struct SettingsFileError: Error {
    var lines: [String]
}

/// Reads `config/sim.yaml`, keeping the line of every value.
enum SettingsFile {
    /// Larger files are refused.
    static let octetsMaximum = 1 << 20

    static func read(_ path: String) throws(SettingsFileError) -> SimulatorSettings {
        guard let octets = FileManager.default.contents(atPath: path) else {
            throw SettingsFileError(lines: ["\(path): cannot be read"])
        }
        guard octets.count <= octetsMaximum, let text = String(validating: octets, as: UTF8.self) else {
            throw SettingsFileError(lines: ["\(path): is not UTF-8 text of at most \(octetsMaximum) octets"])
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw SettingsFileError(lines: ["\(path): \(error)"])
        }
        guard let node else { throw SettingsFileError(lines: ["\(path): is empty"]) }
        do {
            return try SimulatorSettings.read(loose(node))
        } catch {
            throw SettingsFileError(lines: error.mistakes.map { "\(path):\($0.line): \($0)" })
        }
    }

    private static func loose(_ node: Node) -> Loose {
        let line = node.mark?.line ?? 0
        switch node {
        case .mapping(let mapping):
            let entries = mapping.map { pair in
                Loose.Entry(key: pair.key.string ?? "", line: pair.key.mark?.line ?? line, value: loose(pair.value))
            }
            return Loose(.map(entries), line: line)
        case .sequence(let sequence):
            return Loose(.list(sequence.map { loose($0) }), line: line)
        case .scalar(let scalar):
            // Quoted scalars are text whatever they look like.
            if scalar.style == .singleQuoted || scalar.style == .doubleQuoted { return Loose(.text(scalar.string), line: line) }
            if node.null != nil { return Loose(.null, line: line) }
            if let flag = node.bool { return Loose(.flag(flag), line: line) }
            if let integer = node.int { return Loose(.integer(integer), line: line) }
            if let number = node.float { return Loose(.number(number), line: line) }
            return Loose(.text(scalar.string), line: line)
        default:
            // An alias: Yams resolves those it can.
            return Loose(.null, line: line)
        }
    }
}
