# Cancelling works on a link already in somebody's mail.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
When Diane invites Zoe to Forges
When Diane cancels the invitation of Zoe
When Zoe opens the last link -> UnusableLink
Then Zoe has no account
Then the history of Forges says invitation.cancelled of Zoe by Diane
