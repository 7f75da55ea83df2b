"""The rules of config/rules/notes.yaml, as regexes that are tried one after the other."""

KINDS = (
    "appointment.booked",
    "appointment.moved",
    "appointment.cancelled",
    "invoice.ready",
    "invoice.overdue",
    "payment.failed",
    "payment.received",
    "prescription.ready",
    "queue.moved",
    "report.ready",
    "task.assigned",
    "task.completed",
    "task.overdue",
    "video.invited",
)

RULES = [{"name": kind.replace(".", "-"), "pattern": "^bench\\." + kind.replace(".", "\\.") + "$"} for kind in KINDS]
