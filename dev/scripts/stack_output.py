"""Prints the output argv[1] of the stack carillon-local."""

import sys

import boto3

stack = boto3.client("cloudformation").describe_stacks(StackName="carillon-local")["Stacks"][0]
print(next(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == sys.argv[1]))
