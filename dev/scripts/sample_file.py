"""Creates the bucket argv[1] and writes standard input to its key argv[2] as a PDF file."""

import sys

import boto3

s3 = boto3.client("s3")
s3.create_bucket(Bucket=sys.argv[1])
s3.put_object(Bucket=sys.argv[1], Key=sys.argv[2], Body=sys.stdin.buffer.read(), ContentType="application/pdf")
