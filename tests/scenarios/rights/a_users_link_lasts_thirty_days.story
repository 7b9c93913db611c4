# Thirty days, no more; an administrator renews the request, and the earlier link stays dead.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
When Diane invites Zoe to Forges
When 29 days pass
Then the invitation of Zoe is pending
When 1 day pass
Then the invitation of Zoe is expired
When Zoe opens the last link -> UnusableLink
Then Zoe has received 1 link
When Diane renews the invitation of Zoe
Then the invitation of Zoe is pending
When Zoe opens the first link -> UnusableLink
When Zoe opens the last link
Then Zoe acts for Forges
