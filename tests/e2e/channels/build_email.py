"""Builds a message with Python's email library and prints its parts as JSON."""
import email, email.policy, json, sys
asked = json.load(sys.stdin)
strict = email.policy.SMTP.clone(raise_on_defect=True)
message = email.message.EmailMessage(policy=strict)
message['From'] = asked['from']
message['To'] = asked['to']
message['Reply-To'] = ', '.join(asked['reply_to'] or [])
message['Subject'] = asked['subject']
for header in asked['headers'] or []:
    message[header['Name']] = header['Value']
message.set_content(asked['text'])
message.add_alternative(asked['html'], subtype='html')
read = email.message_from_bytes(message.as_bytes(), policy=email.policy.SMTP)
told = {name: str(read[name]) for name in read.keys()}
told['order'] = list(read.keys())
told['defects'] = [str(it) for part in read.walk() for it in part.defects]
told['text'] = read.get_body(('plain',)).get_content()
print(json.dumps(told))
