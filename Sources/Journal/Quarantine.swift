import Glibc

/// Keeps a copy of damaged bytes as evidence, under DIR/quarantine. Best effort: a full disk must not stop an opening.
struct Quarantine {
    let disk: Disk
    let names: Names

    private static let filesMax = 256
    private static let bytesMax = 4 << 20

    /// Copies each damaged place once (again opened, the same damage has its copy) and notes the file in the report.
    func keep(_ report: inout Report) {
        guard report.damage.contains(where: Self.isCopied), disk.makeDirectory(names.quarantine) >= 0 else { return }
        guard var present = try? disk.listed(names.quarantine) else { return }
        var made = false
        for index in report.damage.indices where Self.isCopied(report.damage[index]) {
            let damage = report.damage[index]
            let name = "\(Names.digits(damage.segment))-\(damage.offset)-\(damage.length).bin"
            if !present.contains(name) {
                guard present.count < Self.filesMax, copy(damage, to: "\(names.quarantine)/\(name)") else { continue }
                present.append(name)
                made = true
            }
            report.damage[index].quarantined = "quarantine/\(name)"
        }
        if made { _ = disk.syncDirectory(names.quarantine) }
    }

    private static func isCopied(_ damage: Damage) -> Bool {
        switch damage.kind {
        case .batches, .header, .behindEnd: damage.length > 0
        case .unreadable, .segment: false
        }
    }

    private func copy(_ damage: Damage, to path: String) -> Bool {
        guard let from = try? disk.opened(names.segment(damage.segment), O_RDONLY) else { return false }
        defer { _ = disk.close(from) }
        var image = Image()
        image.load(disk, from, damage.offset..<damage.offset + min(damage.length, Self.bytesMax))
        guard let to = try? disk.opened(path, O_WRONLY | O_CREAT | O_TRUNC) else { return false }
        defer { _ = disk.close(to) }
        do {
            try disk.writeAll(to, image.bytes, at: 0)
            try disk.synced(to)
            return true
        } catch {
            _ = disk.unlink(path)
            return false
        }
    }
}
